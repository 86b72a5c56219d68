"""What is known of each listed or delisted symbol, one small file each: the part of the universe that is data.

`<lake>/listings/<SYMBOL>.json` holds the facts, `<lake>/listings/funding/<SYMBOL>.parquet` what its watch saw. The settings'
universe stays the base; ingestion takes what `ingested_symbols` returns. Deciding belongs to `discovery.py` and `watch.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.resources.products import Products

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.settings import PipelineSettings

WATCH_NS = 24 * 3600 * 10**9


@dataclass(frozen=True)
class Summary:
    """What a watch saw: how many rates, the largest by size with its sign, their mean; None where it saw none."""

    count: int
    max_rate: float | None
    mean_rate: float | None


@dataclass(frozen=True)
class Listed:
    """One symbol; times are ns UTC by the venue's clock.

    Attributes
    ----------
    symbol : str
    found_ns : int
        When it was first noticed.
    trades_from_ns : int or None
        Begin of continuous trading, which may lie ahead; None while the venue does not say.
    traded : bool
        Whether it began to trade and so belongs to the universe.
    watched : bool
        Whether its first day's funding is or was watched.
    delisted_ns : int or None
        End of trading.
    summary : Summary or None
        Of the watch, once that is closed.

    """

    symbol: str
    found_ns: int
    trades_from_ns: int | None = None
    traded: bool = False
    watched: bool = False
    delisted_ns: int | None = None
    summary: Summary | None = None

    @property
    def watch_ends_ns(self) -> int | None:
        """End of the watch, None where there is or will be none."""
        return None if self.trades_from_ns is None else self.trades_from_ns + WATCH_NS

    def awaits(self, now_ns: int) -> bool:
        """Whether something is to be done for its watch at `now_ns`: open, to be opened or to be closed."""
        return (
            self.watched
            and self.summary is None
            and self.trades_from_ns is not None
            and self.trades_from_ns <= now_ns
        )


class Listings:
    """The files of all symbols under a lake."""

    def __init__(self, lake_root: Path) -> None:
        self._products = Products(lake_root)
        self._folder = Path(lake_root) / "listings"

    def get(self, symbol: str) -> Listed | None:
        """Return what is known of a symbol."""
        body = self._products.read_json(self._path(symbol))
        if body is None:
            return None
        summary = body.pop("summary")
        return Listed(**body, summary=None if summary is None else Summary(**summary))

    def all(self) -> list[Listed]:
        """Return every symbol known, by name."""
        names = sorted(path.stem for path in self._folder.glob("*.json"))
        return [listed for name in names if (listed := self.get(name)) is not None]

    def put(self, listed: Listed) -> None:
        """Replace what is known of a symbol."""
        self._products.write_json(self._path(listed.symbol), asdict(listed))

    def rates(self, symbol: str) -> pl.DataFrame:
        """Return what the watch saw: `seen_at` (ns) and the running `funding_rate` (fraction), ascending."""
        import polars as pl

        path = self._rates_path(symbol)
        if not path.is_file():
            return pl.DataFrame(schema={"seen_at": pl.Int64, "funding_rate": pl.Float64})
        return pl.read_parquet(path)

    def add_rate(self, symbol: str, seen_at: int, rate: float) -> pl.DataFrame:
        """Add what was seen at an instant, once, and return all."""
        import polars as pl

        new = pl.DataFrame({"seen_at": [seen_at], "funding_rate": [rate]})
        rates = (
            pl.concat([self.rates(symbol), new])
            .unique("seen_at", keep="first", maintain_order=True)
            .sort("seen_at")
        )
        self._products.write(self._rates_path(symbol), rates)
        return rates

    def _path(self, symbol: str) -> Path:
        return self._folder / f"{symbol}.json"

    def _rates_path(self, symbol: str) -> Path:
        return self._folder / "funding" / f"{symbol}.parquet"


def ingested_symbols(settings: PipelineSettings) -> tuple[str, ...]:
    """Return the settings' universe and, after it, every symbol that was listed since; delisted ones stay."""
    found = [listed.symbol for listed in Listings(settings.lake_root).all() if listed.traded]
    return tuple(dict.fromkeys((*settings.universe, *found)))


def closed_symbols(lake_root: Path) -> dict[str, str]:
    """Return the symbols whose trading ended, each with the words that say since when."""
    return {
        listed.symbol: f"{listed.symbol} is closed: its trading ended {utc(listed.delisted_ns)}; its history is kept"
        for listed in Listings(lake_root).all()
        if listed.delisted_ns is not None
    }


def utc(at_ns: int) -> str:
    """Return an instant for people."""
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M} UTC"
