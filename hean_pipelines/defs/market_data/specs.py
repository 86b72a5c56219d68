"""Which dataset comes from which call of the venue's client. A table; fetching and storing are `ingest.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from hean_pipelines.resources.lake_schemas import DATASETS, INTERVAL_S, Dataset
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from hean_pipelines.sources.bybit import BybitPublicClient

SNAPSHOTS = ("raw_bybit__snapshot_instruments", "raw_bybit__snapshot_tickers", "raw_bybit__snapshot_mids")
Fetch = Callable[["BybitPublicClient", str, int, int], NamedTuple]


@dataclass(frozen=True)
class History:
    """One dataset of rows over time, fetched as complete ranges per symbol.

    Attributes
    ----------
    dataset : Dataset
        With the spacing that the settings chose.
    fetch : callable
        `(client, symbol, start_ns, end_ns)` to columns named as the dataset's, without symbol and available_at.
    page : int
        Rows the venue gives per request, for estimates.

    """

    dataset: Dataset
    fetch: Fetch
    page: int

    @property
    def part_days(self) -> int:
        """Days fetched at once: a month of dense rows, a year of sparse ones."""
        return 366 if (self.dataset.cadence_s or 0) >= 3600 else 31

    def expected_requests(self, days: int, symbols: int) -> int:
        """Return about how many requests a backfill of `days` takes for `symbols` symbols."""
        rows_per_day = 86_400 / (self.dataset.cadence_s or 86_400)
        return max(1, ceil(rows_per_day * days / self.page)) * symbols


def history_specs(settings: PipelineSettings) -> tuple[History, ...]:
    """Return every history the venue offers us, in the order they are fetched."""
    interest, ratio = settings.open_interest_interval, settings.account_ratio_period
    ratio_s = INTERVAL_S[ratio]

    def spec(name: str, fetch: Fetch, page: int, dataset: Dataset | None = None) -> History:
        return History(dataset or DATASETS[name], fetch, page)

    return (
        spec("raw_bybit__settlement_funding", lambda c, s, a, b: c.funding_history(s, a, b), 200),
        spec(
            "raw_bybit__5m_open_interest",
            lambda c, s, a, b: c.open_interest(s, interest, a, b),
            200,
            DATASETS["raw_bybit__5m_open_interest"].spaced(INTERVAL_S[interest]),
        ),
        spec(
            "raw_bybit__1h_account_ratio",
            lambda c, s, a, b: c.account_ratio(s, ratio, a, b),
            500,
            DATASETS["raw_bybit__1h_account_ratio"].spaced(ratio_s, available_after_s=ratio_s),
        ),
        spec("raw_bybit__5m_perp_klines", lambda c, s, a, b: c.klines("perp", s, 300, a, b), 1000),
        spec("raw_bybit__5m_spot_klines", lambda c, s, a, b: c.klines("spot", s, 300, a, b), 1000),
        spec(
            "raw_bybit__1m_premium_index_klines",
            lambda c, s, a, b: c.index_klines("premium", s, 60, a, b),
            1000,
        ),
        spec("raw_bybit__1m_mark_klines", lambda c, s, a, b: c.index_klines("mark", s, 60, a, b), 1000),
        spec("raw_bybit__1m_index_klines", lambda c, s, a, b: c.index_klines("index", s, 60, a, b), 1000),
    )
