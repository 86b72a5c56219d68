"""The bank's thread: drains events four times a second, lets every strategy see them, and puts what happened by for the loop.

The compiled loop lets go of Python's lock while it runs. Where nothing is compiled yet, a process of its own does that first:
compiling takes a minute, hundreds of megabytes, and the lock. What does not belong here: where events and outlooks come from.
"""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hean_live.shadow.records import BankNews, BankSignal, BankTrip, CascadeForecast, ShadowQuotes
from hean_live.shadow.tap import EventTap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hean_live.app.cascade_forecaster import CascadeForecaster
    from hean_live.app.regime_model import LoadedRegimes
    from hean_live.shadow.bank import SymbolBank
    from hean_live.shadow.contracts import ShadowContract

log = logging.getLogger(__name__)

STEP_S: Final = 0.25
_NICE: Final = 10  # behind everything else, yet a tenth of a core where others want it whole
_WARM: Final = (sys.executable, "-m", "hean_live.shadow.warm")
Outlooks = Callable[[str], "NDArray[np.void] | None"]
"""Returns the outlook of a symbol that holds from now on, None while nothing new is known."""


class ShadowService:
    """Every strategy on every symbol, in a thread.

    Parameters
    ----------
    contracts : mapping of str to ShadowContract
        Its keys are the symbols that have shadows.
    tap : EventTap
        Of these symbols, and maybe others.
    capital_usd : float
    names : sequence of str, optional
        Strategies; all by default.
    outlooks : callable, optional
    cascade : callable, optional
        Returns M2's forecaster in use, None without one.
    regimes : callable, optional
        Returns M4's models in use, None without any.
    clock_ns : callable
        What events are stamped by.
    partner : callable, optional
        Returns the partner of a symbol's pair, empty without one: its prices are those of its own bank.
    testnet : bool
        Whether the market is Bybit's testnet.
    traded_usd : mapping of str to float, optional
        Capital strategies trade on a symbol, where it is not `capital_usd`; results are told as of that in any case.

    """

    def __init__(
        self,
        contracts: Mapping[str, ShadowContract],
        tap: EventTap,
        capital_usd: float,
        names: Sequence[str] | None = None,
        outlooks: Outlooks = lambda _symbol: None,
        cascade: Callable[[], CascadeForecaster | None] = lambda: None,
        clock_ns: Callable[[], int] = time.time_ns,
        regimes: Callable[[], LoadedRegimes | None] = lambda: None,
        partner: Callable[[str], str] = lambda _symbol: "",
        testnet: bool = False,
        traded_usd: Mapping[str, float] | None = None,
    ) -> None:
        self._contracts = dict(contracts)
        self._tap = tap
        self._capital_usd = capital_usd
        self._names = names
        self._outlooks = outlooks
        self._partner = partner
        self._testnet = testnet
        self._traded_usd = dict(traded_usd or {})
        self._cascade = cascade
        self._regimes = regimes
        self._clock_ns = clock_ns
        self._places = [tap.symbols.index(symbol) for symbol in contracts]
        self._news: queue.SimpleQueue[tuple[list[BankSignal], list[BankTrip], list[CascadeForecast]]] = (
            queue.SimpleQueue()
        )
        self._holding: tuple[tuple[str, str], ...] = ()
        self._quotes: tuple[ShadowQuotes, ...] = ()
        self._quoted: frozenset[str] = frozenset()
        self._lagging_s = 0.0
        self._stop = threading.Event()
        self._warming: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._work, name="shadows", daemon=True)
        self.problem = "the shadows' loops are being compiled"

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, and the compiler if it still runs."""
        self._stop.set()
        if self._warming is not None and self._warming.poll() is None:
            self._warming.kill()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def follow_quotes(self, names: Collection[str]) -> None:
        """Say which strategies' quotes are to be told from now on; from any thread."""
        self._quoted = frozenset(names)

    def news(self) -> BankNews:
        """Return what happened since the last call; from any thread."""
        signals: list[BankSignal] = []
        trips: list[BankTrip] = []
        forecasts: list[CascadeForecast] = []
        while True:
            try:
                begun, ended, said = self._news.get_nowait()
            except queue.Empty:
                break
            signals += begun
            trips += ended
            forecasts += said
        running = not self.problem
        return BankNews(
            tuple(signals),
            tuple(trips),
            self._holding,
            running,
            self._lagging_s,
            tuple(forecasts),
            self._quotes,
        )

    # --- in the thread

    def _work(self) -> None:
        try:
            if not self._warm():
                return
            banks = self.make_banks()
            self.problem = ""
            while not self._stop.wait(STEP_S):
                self.step(banks)
        except Exception as error:
            # The shadows may end; trading on without them may not go unnoticed.
            self.problem = f"the shadows ended: {error}"
            log.exception("the shadows ended")

    def make_banks(self) -> list[SymbolBank]:
        """Return a new bank of each symbol; to be called where everything is compiled."""
        from hean_live.shadow.bank import SymbolBank
        from models.market.symbol_params import params_of_symbol
        from models.simulation.bank.steps import NAMES

        names = self._names or NAMES
        return [
            SymbolBank(
                symbol,
                contract,
                self._traded_usd.get(symbol, self._capital_usd),
                names,
                features=params_of_symbol(symbol, self._testnet),
                told_usd=self._capital_usd,
            )
            for symbol, contract in self._contracts.items()
        ]

    def _warm(self) -> bool:
        """Have everything compiled, in a process of its own with low priority; returns False if told to stop."""
        self._warming = subprocess.Popen(_WARM, preexec_fn=lambda: os.nice(_NICE))
        while self._warming.poll() is None:
            if self._stop.wait(STEP_S):
                return False
        if self._warming.returncode != 0:
            raise RuntimeError(f"compiling ended with code {self._warming.returncode}")
        # What came meanwhile is old: the books begin with what waits now.
        return True

    def step(self, banks: Sequence[SymbolBank]) -> None:
        """Take what waits, symbol by symbol."""
        newest_ns = 0
        begun: list[BankSignal] = []
        ended: list[BankTrip] = []
        said: list[CascadeForecast] = []
        forecaster, regimes = self._cascade(), self._regimes()
        # Of before this step, for all alike: no partner is known earlier than the own market.
        touches = {bank.symbol: bank.touch() for bank in banks}
        for place, bank in zip(self._places, banks, strict=True):
            bank.follow_regimes(regimes)
            told = self._outlooks(bank.symbol)
            if told is not None:
                told = told.copy()
                if forecaster is not None:
                    told["cascade_probability"] = bank.cascade_probability(forecaster)
                _write_partner(told, touches.get(self._partner(bank.symbol)))
                bank.tell(told)
            said += bank.said()
            events = self._tap.drain(place)
            if events is not None:
                signals, trips = bank.take(events)
                begun += [self._with_partner(signal) for signal in signals]
                ended += trips
            newest_ns = max(newest_ns, bank.newest_ns)
        self._holding = tuple((name, bank.symbol) for bank in banks for name in bank.holding())
        quoted = self._quoted
        self._quotes = tuple(row for bank in banks for row in bank.quotes(quoted)) if quoted else ()
        self._lagging_s = max(0.0, (self._clock_ns() - newest_ns) / 1e9) if newest_ns else 0.0
        if begun or ended or said:
            # After what is held: a signal told before it would look as if its shadow had left already.
            self._news.put((begun, ended, said))

    def _with_partner(self, signal: BankSignal) -> BankSignal:
        return replace(signal, partner=self._partner(signal.symbol)) if signal.ratio else signal


def _write_partner(told: NDArray[np.void], touch: tuple[float, float, int] | None) -> None:
    """Add the partner's prices; the outlook holds from when they were seen."""
    if touch is not None:
        told["pair_bid"], told["pair_ask"], told["pair_at_ns"] = touch
        told["at_ns"] = max(int(told["at_ns"][0]), touch[2])
