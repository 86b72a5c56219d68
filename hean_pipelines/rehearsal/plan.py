"""What the rehearsal will do: market, symbols, hours, speed, its folder, and the settings that follow from a fast market.

Here belong choices; nothing runs here.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from models.errors import ConfigError

SYMBOLS = ("BTCUSDT", "WIFUSDT")
"""The one the crash filter looks at, and one that settles every four hours."""
_BY_HAND = ("XRPUSDT", "SOLUSDT", "ETHUSDT")
_LEARN_EVERY_H = 4.0
_MARKER = ".hean-rehearsal"
# A quarter of an hour before a decision for the settlement at 08:00, and before that settlement itself.
_WITH_MODEL = datetime(2025, 6, 1, 6, 15, tzinfo=UTC)
_WITHOUT_MODEL = datetime(2025, 6, 1, 7, 50, tzinfo=UTC)
_HISTORY_DAYS = 3
_SLOWEST, _FASTEST = 1.0, 600.0


@dataclass(frozen=True)
class Plan:
    """The rehearsal's choices.

    Attributes
    ----------
    hours, speed : float
        Market hours the executor lives through, market seconds per second.
    symbols : tuple of str
    by_hand : str
        A symbol that is traded by hand on the same account, and not by the executor.
    days : int
        Days of history ingested and trained on before; 0 for an executor without a model.
    now : datetime
        Market time at the start.
    learn_every_h : float
        Market hours between runs of the learning loop.
    equity_usd : str
    seed : int

    """

    hours: float
    speed: float
    symbols: tuple[str, ...]
    by_hand: str
    days: int
    now: datetime
    learn_every_h: float = _LEARN_EVERY_H
    equity_usd: str = "10000"
    seed: int = 7

    @property
    def first_day(self) -> date:
        """First day of history."""
        return (self.now - timedelta(days=self.days or _HISTORY_DAYS)).date()


def make_plan(hours: float, speed: float, symbols: tuple[str, ...] | None, *, days: int, seed: int) -> Plan:
    """Fill in what was not said.

    Raises
    ------
    ConfigError
        If a number makes no sense, or too few symbols are left.

    """
    if not 0.1 <= hours <= 24 * 30:
        raise ConfigError(f"--hours should lie between 0.1 and 720, was {hours:g}")
    if not _SLOWEST <= speed <= _FASTEST:
        raise ConfigError(f"--speed should lie between {_SLOWEST:g} and {_FASTEST:g}, was {speed:g}")
    chosen = symbols or SYMBOLS
    free = [symbol for symbol in _BY_HAND if symbol not in chosen]
    if not free:
        raise ConfigError(
            f"one of {', '.join(_BY_HAND)} should be left for trading by hand, was {', '.join(chosen)}",
            remedy="choose fewer --symbols",
        )
    now = _WITH_MODEL if days else _WITHOUT_MODEL
    return Plan(hours, speed, chosen, free[0], days, now, seed=seed)


def write_settings(home: Path, plan: Plan, base_url: str) -> None:
    """Write `hean.toml`: what is counted in the market's seconds is stretched where it stands for our own.

    S1 takes small edges, so that there is something to rehearse on a quiet day.
    """
    symbols = json.dumps(list(plan.symbols))
    text = f"""\
[pipelines]
venue_url = "{base_url}"
universe = {symbols}
partitions_start = {plan.first_day.isoformat()}
open_interest_interval = "5min"

[live]
environment = "local"
order_url = "{base_url}"
symbols = {symbols}
streams = true
market_clock = "venue"
record = true
recorder_free_gb = 0.1
stream_fresh_s = {10.0 * plan.speed:.1f}
max_ticker_age_s = {60.0 + 5.0 * plan.speed:.1f}
max_forecast_age_s = {900.0 + 30.0 * plan.speed:.1f}
s1_entry_window_s = {600 + round(20 * plan.speed)}
s1_threshold = 0.00001
s1_min_confidence = 0.5
poll_interval_s = 0.1
reconcile_s = 5.0
reconcile_open_s = 1.0
registry_poll_s = {10.0 if plan.days else 3600.0}
"""
    (home / "hean.toml").write_text(text, encoding="utf-8")


def empty_home(home: Path) -> None:
    """Make an empty folder for the rehearsal; one that a rehearsal made before is emptied.

    Raises
    ------
    ConfigError
        If the folder holds anything that no rehearsal made.

    """
    if home.exists() and any(home.iterdir()):
        if not (home / _MARKER).is_file():
            raise ConfigError(
                f"{home} is not empty and was not made by a rehearsal", remedy="give another --home"
            )
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARKER).write_text("made by `hean rehearse`, emptied by the next one\n", encoding="utf-8")
