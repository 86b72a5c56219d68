"""The bank of shadows as one life of the executor hears it: news of a drawn script, told as the real service tells it.

Like the real one it steps four times a second, begins flat with each life once it has warmed up, and knows nothing of what began
before. What it holds is a moment newer than what it has told. No strategy runs here: what they do is drawn in `script.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from hean_live.shadow.records import BankNews, BankSignal, BankTrip, RestingQuote, ShadowQuotes
from hean_live.simulation.clock import NANOSECONDS, VirtualClock
from hean_live.simulation.market import SimulatedMarket
from hean_live.simulation.script import PAIRS, STRATEGIES, BankScript, Episode
from models.learning.roster import canonical
from models.portfolio.policy import LIVE, PROMOTED, Policy, Reason, StrategyPolicy

STEP_NS: Final = NANOSECONDS // 4
SHARE: Final = 0.10
_BEHIND: Final = 0.2
_ONE_SIDED: Final = "enhanced_grid"
_QUANTITY: Final = 1.0
_FEE: Final = 0.00055
_FEATURES: Final = MappingProxyType(
    {"hurst_label": 1.0, "hurst_label_finer": 1.0, "whale_intensity": 0.0, "vpin": 0.2, "vpin_rank": 0.2}
)
_SECOND_LEG: Final = MappingProxyType({"partner_share": 1.0, "partner_spread": 1e-4})


def promoted(start_ns: int) -> Policy:
    """Return a policy by which every strategy of the script may trade for a day."""
    live = StrategyPolicy(LIVE, (Reason(PROMOTED),), SHARE)
    return Policy(
        start_ns - NANOSECONDS,
        start_ns + 86_400 * NANOSECONDS,
        strategies={canonical(name): live for name in (*STRATEGIES, PAIRS)},
    )


class SimulatedBank:
    """One life's bank.

    Parameters
    ----------
    script : BankScript
    life : int
        Number of the life, from 0 on.
    clock : VirtualClock
    market : SimulatedMarket
    generator : numpy.random.Generator
        Its own: what it draws depends on when it is asked.

    """

    def __init__(
        self,
        script: BankScript,
        life: int,
        clock: VirtualClock,
        market: SimulatedMarket,
        generator: np.random.Generator,
    ) -> None:
        self._script = script
        self._clock = clock
        self._market = market
        self._generator = generator
        warm_up_s = script.warm_up_s[min(life, len(script.warm_up_s) - 1)]
        self._begun_ns = clock.now_ns + int(warm_up_s * NANOSECONDS)
        ends = script.ends_s is not None and clock.monotonic() < script.ends_s
        self._ends_s = script.ends_s if ends else None
        self._told_ns = self._begun_ns
        self.problem = ""

    def news(self) -> BankNews:
        """Return what happened since the last call, as the loop asks for it at every poll."""
        now_ns = self._clock.now_ns
        self.problem = self._problem()
        if now_ns < self._begun_ns:
            return BankNews()
        held_ns = max(self._told_ns, self._stepped(now_ns))
        # The queue of news is emptied before what is held is read: a step between the two is told next time.
        told_ns = held_ns - (STEP_NS if self._generator.random() < _BEHIND else 0)
        told_ns = max(self._told_ns, told_ns)
        known = [episode for episode in self._script.episodes if episode.signal_ns >= self._begun_ns]
        signals = tuple(
            _signal(row) for row in known if row.is_told and self._told_ns <= row.told_ns < told_ns
        )
        trips = tuple(
            self._trip(row) for row in known if row.is_filled and self._told_ns <= row.end_ns < told_ns
        )
        holding = tuple(
            (row.strategy, row.symbol) for row in known if row.signal_ns < held_ns and row.end_ns >= held_ns
        )
        self._told_ns = told_ns
        lagging_s = (now_ns - held_ns) / NANOSECONDS
        quotes = tuple(
            _quotes(row, held_ns)
            for row in known
            if row.distance_bps and row.signal_ns < held_ns and row.end_ns >= held_ns
        )
        return BankNews(signals, trips, holding, not self.problem, lagging_s, quotes=quotes)

    def follow_quotes(self, _names: Collection[str]) -> None:
        """Nothing to choose: the quotes of all are told."""

    def close(self) -> None:
        """Nothing to end."""

    def _problem(self) -> str:
        if self._clock.now_ns < self._begun_ns:
            return "the shadows' loops are being compiled"
        over = self._ends_s is not None and self._clock.monotonic() >= self._ends_s
        return "the shadows ended" if over else ""

    def _stepped(self, now_ns: int) -> int:
        """Return up to when the bank has seen the market: not beyond its end, nor into a stall."""
        at_s = self._clock.monotonic()
        if self._ends_s is not None:
            now_ns = min(now_ns, now_ns - int((at_s - self._ends_s) * NANOSECONDS))
        for stall in self._script.stalls:
            if stall.start_s <= at_s < stall.end_s:
                now_ns = min(now_ns, now_ns - int((at_s - stall.start_s) * NANOSECONDS))
        return now_ns // STEP_NS * STEP_NS

    def _trip(self, row: Episode) -> BankTrip:
        entry = self._market.ticker(row.symbol, row.signal_ns // 1_000_000).bid1_price or 0.0
        leave = self._market.ticker(row.symbol, row.end_ns // 1_000_000).bid1_price or 0.0
        fees = _FEE * _QUANTITY * (entry + leave)
        return BankTrip(
            row.strategy,
            row.symbol,
            row.side,
            row.told_ns,
            row.told_ns,
            row.end_ns,
            _QUANTITY,
            entry,
            leave,
            _QUANTITY * entry,
            fees,
            0.0,
            row.side * _QUANTITY * (leave - entry) - fees,
            "DRAWN",
            "DRAWN",
            row.regime,
        )


def _quotes(row: Episode, at_ns: int) -> ShadowQuotes:
    """Return what a market maker quotes: its side before its fill, or both, and then the way out."""
    if row.is_filled and at_ns > row.fill_ns:
        out = (_resting(-row.side, row.distance_bps, closes=True),) if row.has_way_out else ()
        return ShadowQuotes(row.strategy, row.symbol, at_ns, row.side, out)
    if row.strategy == _ONE_SIDED:
        resting = tuple(_resting(row.side, n * row.distance_bps) for n in (1, 2))
    else:
        resting = tuple(_resting(side, row.distance_bps) for side in (1, -1))
    signal = replace(
        _signal(row), at_ns=at_ns, side=sum({own.side for own in resting}), to_quote=True, is_taker=False
    )
    return ShadowQuotes(row.strategy, row.symbol, at_ns, 0, resting, signal)


def _resting(side: int, distance_bps: float, *, closes: bool = False) -> RestingQuote:
    return RestingQuote(side, 1.0 - 1e-4 * side * distance_bps, _QUANTITY, closes)


def _signal(row: Episode) -> BankSignal:
    return BankSignal(
        row.strategy,
        row.symbol,
        row.side,
        row.told_ns,
        0.01,
        row.is_taker,
        row.edge_bps,
        "DRAWN",
        row.regime,
        _FEATURES | _SECOND_LEG if row.partner else _FEATURES,
        row.confidence,
        partner=row.partner,
        ratio=row.ratio,
    )
