"""P1 for the policy: how the capital of the strategies that are live is divided, read from what the executor left behind.

Here belongs reading the account, the phase and the track record. The arithmetic is `models.portfolio.allocation`, the step by
which a share may move `models.learning.bounds`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.learning.roster import canonical
from models.learning.trades import HOUR_NS
from models.portfolio.allocation import AllocationRules, starting_weights, target_shares, track_record
from models.portfolio.policy import Policy, Reason
from models.portfolio.regime_matrix import Cell
from models.portfolio.tiers import Tier, tier_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hean_pipelines.resources.products import Products

TIER = "TIER_"
"""Before the name of the tier in the policy's reasons: the next turn reads there which tier is held."""

_RECENT_NS = 4 * HOUR_NS
"""One turn of the loops: an older regime says nothing of the present phase."""


@dataclass(frozen=True)
class Capital:
    """What a division of the capital rests on.

    Attributes
    ----------
    equity_usd : float
        NaN where the executor has never looked.
    tier : Tier
    regimes : mapping of str to int
        Symbols by the regime of their newest entry; empty where there was none within four hours.
    record : mapping of str to float
        See `track_record`.
    rules : AllocationRules

    """

    equity_usd: float
    tier: Tier
    regimes: Mapping[str, int]
    record: Mapping[str, float]
    rules: AllocationRules

    def divide(self, strategies: Collection[str]) -> dict[str, float]:
        """Return shares of the equity; a strategy that the tier does not run has none."""
        base = starting_weights(strategies, self.tier, self.rules)
        return target_shares(base, self.regimes, self.record, self.rules)

    @property
    def reason(self) -> Reason:
        """The tier, for the policy's reasons."""
        known = math.isfinite(self.equity_usd)
        equity = (
            f"{self.equity_usd:.2f} USD of equity" if known else "equity not known yet, taken as the least"
        )
        runs = "all strategies" if self.tier.strategies is None else ", ".join(sorted(self.tier.strategies))
        return Reason(f"{TIER}{self.tier.name.upper()}", f"{equity}; capital for {runs}")


def read_capital(products: Products, previous: Policy | None, now_ns: int) -> Capital:
    """Read what the next policy's shares rest on; `previous` says which tier is held."""
    rules = AllocationRules()
    held = {reason.word.removeprefix(TIER).lower() for reason in (previous.reasons if previous else ())}
    equity_usd = _equity_usd(products)
    tier = tier_of(equity_usd, rules.tiers, next((t.name for t in rules.tiers.tiers if t.name in held), ""))
    return Capital(equity_usd, tier, _regimes(products, now_ns), track_record(_cells(products)), rules)


def _equity_usd(products: Products) -> float:
    looks = products.read_mart("mart_hean__equity").drop_nulls("equity_usd").sort("at_ns")
    return float(looks.get_column("equity_usd")[-1]) if looks.height else math.nan


def _regimes(products: Products, now_ns: int) -> dict[str, int]:
    import polars as pl

    trades = products.read_mart("mart_hean__learning_trades")
    recent = trades.filter(pl.col("regime").is_not_null() & (pl.col("entry_ns") > now_ns - _RECENT_NS))
    newest = recent.sort("entry_ns").group_by("symbol").agg(pl.col("regime").last())
    return dict(newest.group_by("regime").len().sort("regime").iter_rows())


def _cells(products: Products) -> list[Cell]:
    frame = products.read(products.matrix, "materialise model_hean__regime_matrix")
    return [Cell(**{**row, "strategy": canonical(row["strategy"])}) for row in frame.iter_rows(named=True)]
