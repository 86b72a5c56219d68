"""The gates of the executor asked about a backtest's signals, one after the other, as they would stand at a cold start.

What the gates remember, entries made and the regime in force, goes on from signal to signal as it does live. Here belong the
facts a backtest knows and those it takes for granted: the strategy is promoted, nothing was learnt of the symbol, a request is
free, no model gives a confidence. What does not: finding signals, figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

from models.execution.market_gates import PriceHistory
from models.gates.market_facts import market_facts, sight_of_record
from models.gates.memory import BankMemory
from models.gates.order import GateRules, Verdict, pass_gates
from models.gates.pace import remember_entry
from models.gates.permission import LIVE
from models.gates.records import AccountFacts, Facts, Fees, PolicyFacts, Standing
from models.gates.signals import candidate_of, features_seen, regime_name
from models.portfolio.rotator import Exploration, RotatorRules, rotate
from models.strategies.edges import expected_edge_bps

REGIME_ALONE: Final = RotatorRules(exploration=Exploration.SHARE, exploration_share=1.0)
"""The rotator's table, with everybody given the chance a cold start draws for: what is drawn says nothing of the strategy."""
_PROMOTED: Final = Standing(LIVE, "taken as promoted")
_PARTNER: Final = "the partner"
_NO_BTC: Final = PriceHistory()


class Signal(NamedTuple):
    """A strategy begins to enter: its tick, side, and whether the entry crosses the spread."""

    at_ns: int
    side: int
    is_taker: bool


class Judge:
    """The gates of one strategy on one symbol.

    Parameters
    ----------
    strategy, symbol : str
    params : tuple
        Of the strategy, checked.
    fees : Fees
        Of the venue.
    capital_usd : float
    hears_open_interest : bool
        False for a tape that holds none: its age is then not held against a signal.
    partner_fees : Fees or None
        Of the other market, where the strategy trades a pair.

    """

    def __init__(
        self,
        strategy: str,
        symbol: str,
        params: Any,
        fees: Fees,
        capital_usd: float,
        *,
        hears_open_interest: bool = True,
        partner_fees: Fees | None = None,
    ) -> None:
        self._strategy, self._symbol = strategy, symbol
        self._params = params
        self._partner = "" if partner_fees is None else _PARTNER
        self._fees = {symbol: fees} if partner_fees is None else {symbol: fees, _PARTNER: partner_fees}
        self._capital_usd = capital_usd
        self._hears_open_interest = hears_open_interest
        self._memory = BankMemory()
        self._rules = GateRules()

    def judge(self, signal: Signal, market: Any, state: Any) -> Verdict:
        """Ask every gate about a signal, and remember the entry if none blocks.

        Parameters
        ----------
        signal : Signal
            Not before the last one.
        market : record of MARKET
            As of the signal's tick.
        state : record of the strategy's state
            After its step at that tick.

        """
        name, memory = self._strategy, self._memory
        features = features_seen(name, market, state)
        candidate = candidate_of(
            name,
            self._symbol,
            signal.side,
            signal.at_ns,
            expected_edge_bps(name, self._params, features),
            is_taker=signal.is_taker,
            partner=self._partner,
            features=features,
        )
        verdict = pass_gates(candidate, self._facts(signal, market), self._rules)
        if verdict.passed:
            memory.entries = remember_entry(memory.entries, name, self._symbol, signal.at_ns)
        return verdict

    def _facts(self, signal: Signal, market: Any) -> Facts:
        name, symbol, memory = self._strategy, self._symbol, self._memory
        regime = regime_name(float(market["regime"]))
        before = memory.rotation(symbol)
        rotation = rotate(symbol, regime, {name}, {}, self._capital_usd, before, signal.at_ns, REGIME_ALONE)
        memory.regimes[symbol] = (rotation.regime, rotation.since_ns)
        sight = sight_of_record(market)
        if not self._hears_open_interest:
            sight = replace(sight, open_interest_at_ns=signal.at_ns)
        return Facts(
            signal.at_ns,
            market_facts(market, sight, _NO_BTC),
            AccountFacts(self._fees, memory.entries),
            PolicyFacts(standings={name: _PROMOTED}),
            rotation,
        )
