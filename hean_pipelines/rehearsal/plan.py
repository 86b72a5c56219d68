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
from models.learning.roster import REQUIREMENTS

SYMBOLS = ("BTCUSDT", "WIFUSDT")
"""The one the crash filter looks at, and one that settles every four hours."""
_BY_HAND = ("XRPUSDT", "SOLUSDT", "ETHUSDT")
_LEARN_EVERY_H = 4.0
_MARKER = ".hean-rehearsal"
# A quarter of an hour before a decision for the settlement at 08:00, and before that settlement itself.
_WITH_MODEL = datetime(2025, 6, 1, 6, 15, tzinfo=UTC)
_WITHOUT_MODEL = datetime(2025, 6, 1, 7, 50, tzinfo=UTC)
_HISTORY_DAYS = 3
_REGIME_MODEL = "hean-regime-hmm"
_SLOWEST, _FASTEST = 1.0, 600.0
_LEAST_USD, _MOST_USD = 10.0, 1e7
PINNED = tuple(
    name
    for name, requirement in REQUIREMENTS.items()
    if not requirement.shadow_only and requirement.system != "S1"
)
"""Strategies a rehearsal pins live: those the executor carries out, S1 apart, which has a road of its own."""
PIN_REASON = "a rehearsal of the mechanics on a synthetic market; says nothing about what it earns"


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
    equity_usd : float
        In the account at the start; what each shadow has, too.
    seed : int
    synthetic_evidence : bool
        Whether evidence from synthetic markets counts, and strategies without any are pinned live, so that more than S1 can be
        seen to trade. Such a policy is good for the local testnet only.

    """

    hours: float
    speed: float
    symbols: tuple[str, ...]
    by_hand: str
    days: int
    now: datetime
    learn_every_h: float = _LEARN_EVERY_H
    equity_usd: float = 10_000.0
    seed: int = 7
    synthetic_evidence: bool = True

    @property
    def first_day(self) -> date:
        """First day of history."""
        return (self.now - timedelta(days=self.days or _HISTORY_DAYS)).date()


def make_plan(
    hours: float,
    speed: float,
    symbols: tuple[str, ...] | None,
    *,
    days: int,
    seed: int,
    learn_every_h: float = _LEARN_EVERY_H,
    equity_usd: float = 10_000.0,
    synthetic_evidence: bool = True,
) -> Plan:
    """Fill in what was not said.

    Raises
    ------
    ConfigError
        If a number makes no sense, or too few symbols are left.

    """
    for option, value, least, most in (
        ("--hours", hours, 0.1, 24.0 * 30.0),
        ("--speed", speed, _SLOWEST, _FASTEST),
        ("--learn-every", learn_every_h, 0.1, 24.0 * 30.0),
        ("--equity", equity_usd, _LEAST_USD, _MOST_USD),
    ):
        if not least <= value <= most:
            raise ConfigError(f"{option} should lie between {least:g} and {most:g}, was {value:g}")
    chosen = symbols or SYMBOLS
    free = [symbol for symbol in _BY_HAND if symbol not in chosen]
    if not free:
        raise ConfigError(
            f"one of {', '.join(_BY_HAND)} should be left for trading by hand, was {', '.join(chosen)}",
            remedy="choose fewer --symbols",
        )
    now = _WITH_MODEL if days else _WITHOUT_MODEL
    return Plan(hours, speed, chosen, free[0], days, now, learn_every_h, equity_usd, seed, synthetic_evidence)


def write_settings(home: Path, plan: Plan, base_url: str) -> None:
    """Write `hean.toml`: what is counted in the market's seconds is stretched where it stands for our own.

    A second of our own is `speed` seconds of the market: what a message, a poll or a thread may be late by. S1 takes small
    edges, so that there is something to rehearse on a quiet day. Models that nothing here trains are not asked for: each look
    into the registry is an interpreter of its own.
    """
    symbols = json.dumps(list(plan.symbols))
    second = plan.speed
    text = f"""\
[pipelines]
venue_url = "{base_url}"
universe = {symbols}
partitions_start = {plan.first_day.isoformat()}
open_interest_interval = "5min"
allow_synthetic_evidence = {json.dumps(plan.synthetic_evidence)}

[live]
environment = "local"
order_url = "{base_url}"
symbols = {symbols}
streams = true
market_clock = "venue"
record = true
recorder_free_gb = 0.1
shadow_equity_usd = {plan.equity_usd}
stream_fresh_s = {10.0 * second:.1f}
max_ticker_age_s = {60.0 + 5.0 * second:.1f}
max_forecast_age_s = {900.0 + 30.0 * second:.1f}
max_book_age_s = {10.0 + 5.0 * second:.1f}
max_open_interest_age_s = {300.0 + 5.0 * second:.1f}
max_signal_age_s = {60.0 + 3.0 * second:.1f}
max_quotes_age_s = {5.0 + 3.0 * second:.1f}
btc_price_age_s = {60.0 + 5.0 * second:.1f}
pull_book_age_s = {15.0 + 5.0 * second:.1f}
s1_entry_window_s = {600 + round(20 * second)}
s1_threshold = 0.00001
s1_min_confidence = 0.5
poll_interval_s = 0.1
reconcile_s = 5.0
reconcile_open_s = 1.0
registry_poll_s = 60.0
cascade_name = ""
regime_name = "{_REGIME_MODEL if plan.days else ""}"
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
