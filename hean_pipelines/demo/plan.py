"""What the demo will do: market, symbols, days, clock, account.

Here belong the defaults and what a recording allows; nothing runs here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from models.errors import ConfigError

SYNTHETIC = "synthetic"
RECORDED = "recorded:"
SYNTHETIC_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "WIFUSDT")
"""Three majors, a cheap coin, and one that settles every four hours."""

_SYNTHETIC_NOW = datetime(2025, 6, 1, 6, 15, tzinfo=UTC)
"""A quarter of an hour before the first decision (06:30 for the settlement at 08:00)."""


@dataclass(frozen=True)
class Plan:
    """The demo's choices.

    Attributes
    ----------
    market : str
        ``synthetic`` or ``recorded:FOLDER``.
    symbols : tuple of str
    first_day, now : date, datetime
        First day ingested, and the market time at which the executor starts.
    speed : float
        Market seconds per real second while the executor runs.
    settlements : int
        Settlements the executor lives through.
    equity_usd : str
    seed : int

    """

    market: str
    symbols: tuple[str, ...]
    first_day: date
    now: datetime
    speed: float
    settlements: int
    equity_usd: str
    seed: int


def make_plan(
    market: str,
    symbols: tuple[str, ...] | None,
    *,
    days: int,
    speed: float,
    settlements: int,
    equity_usd: str | None,
    seed: int,
) -> Plan:
    """Fill in what was not said.

    Parameters
    ----------
    market : str
    symbols : tuple of str, optional
        By default five of the synthetic market, or those of a recording that have funding, perpetual and spot.
    days : int
        Days of history on the synthetic market; a recording is used whole.
    speed, settlements, equity_usd, seed
        See `Plan`; the account holds 500 USD on the synthetic market and 10 000 on a recording, where the least order of the
        large coins would otherwise be refused by the sizer.

    Raises
    ------
    ConfigError
        If the market is unknown or the recording holds nothing to forecast.

    """
    if market == SYNTHETIC:
        first = (_SYNTHETIC_NOW - timedelta(days=days)).date()
        chosen = symbols or SYNTHETIC_SYMBOLS
        return Plan(market, chosen, first, _SYNTHETIC_NOW, speed, settlements, equity_usd or "500", seed)
    if market.startswith(RECORDED):
        folder = Path(market.removeprefix(RECORDED)).expanduser().resolve()
        plan = _recorded(folder, symbols)
        return replace(
            plan,
            speed=speed,
            settlements=min(settlements, plan.settlements),
            equity_usd=equity_usd or "10000",
            seed=seed,
        )
    raise ConfigError(
        f"market should be {SYNTHETIC} or {RECORDED}FOLDER, was {market!r}", remedy="see `hean demo --help`"
    )


def _recorded(folder: Path, symbols: tuple[str, ...] | None) -> Plan:
    import polars as pl

    needed = ("bybit_funding", "bybit_perp_klines_5m", "bybit_spot_klines_5m")
    missing = [name for name in needed if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise ConfigError(
            f"{folder} should hold {', '.join(n + '.parquet' for n in needed)}, lacked {', '.join(missing)}",
            remedy="give a folder of the shape of a recording",
        )
    spot = pl.read_parquet(folder / "bybit_spot_klines_5m.parquet", columns=["symbol", "ts"])
    having = [
        set(pl.read_parquet(folder / f"{name}.parquet", columns=["symbol"]).get_column("symbol"))
        for name in needed
    ]
    usable = sorted(set.intersection(*having))
    chosen = symbols or tuple(usable)
    unknown = [symbol for symbol in chosen if symbol not in usable]
    if unknown or not chosen:
        raise ConfigError(
            f"{folder} has no funding, perpetual and spot bars for {', '.join(unknown) or 'any symbol'}",
            remedy=f"choose among {', '.join(usable) or 'another recording'}",
        )
    stamps = spot.filter(pl.col("symbol").is_in(chosen)).get_column("ts")
    first, last = stamps.min(), stamps.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise ConfigError(f"{folder}: spot bars should carry time stamps", remedy="give another recording")
    # The executor needs some of the recording for itself: it starts most of a day before the end.
    now = last - timedelta(hours=20)
    funding = pl.read_parquet(folder / "bybit_funding.parquet", columns=["symbol", "ts"])
    settled = funding.filter(pl.col("symbol").is_in(chosen)).get_column("ts").unique()
    left = len(settled.filter((settled > now) & (settled < last - timedelta(minutes=30))))
    return Plan(f"{RECORDED}{folder}", chosen, first.date(), now, 0.0, left, "", 0)
