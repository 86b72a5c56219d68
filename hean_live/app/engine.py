"""The deterministic core: a snapshot in, commands out; the same snapshots always give the same commands.

No clock, no socket, no file. Time is the snapshot's. What is remembered is data (`state.py`) and comes back
as a `SaveState` command whenever it changed, so that a restarted engine goes on where the last one stood.
Here belongs what is remembered and the order of things; what is done at each is in `funding_signals.py`,
`shadow_trades.py` and `working_orders.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from hean_live.app.bank.entries import hear_bank
from hean_live.app.bank.facts import Requests
from hean_live.app.bank.forecasts import keep_forecasts
from hean_live.app.bank.sizing import name_of
from hean_live.app.booking import book
from hean_live.app.funding_signals import NANOSECONDS, signal_of, step_strategy, wanted_forecasts
from hean_live.app.rules import EngineRules
from hean_live.app.shadow_trades import step_shadow
from hean_live.app.snapshot import (
    Command,
    Forecasted,
    KeepForecast,
    Memory,
    Note,
    SaveState,
    Snapshot,
)
from hean_live.app.state import BANK, STRATEGY, Campaign, SymbolState, dump_states, load_states
from hean_live.app.working_orders import remember_btc, try_entry, unanswered, within_rates, work_campaign
from hean_live.execution.records import OrderRow
from models.execution.market_gates import BTC
from models.execution.memory import join_memory, split_memory
from models.execution.sharing import room_of
from models.execution.sight import MarketSight
from models.portfolio.roster import KINDS, Kind

_UNSEEN: Mapping[str, MarketSight] = MappingProxyType({})


class Engine:
    """Decides for a fixed set of symbols.

    Parameters
    ----------
    symbols : sequence of str
    rules : EngineRules
    saved : str, optional
        Text of the last `SaveState`.

    """

    def __init__(self, symbols: Sequence[str], rules: EngineRules, saved: str = "") -> None:
        self._rules = rules
        states, self._work = split_memory(saved)
        self._states: dict[str, SymbolState] = load_states(states) if saved else {}
        # A symbol no longer asked for keeps its state: its position still has to be closed.
        self._asked = tuple(symbols)
        for symbol in symbols:
            self._states.setdefault(symbol, SymbolState())
        self._saved = saved
        self._forecasts: dict[tuple[str, int, int], Forecasted] = {}

    @classmethod
    def recall(cls, memory: Memory, rules: EngineRules) -> Engine:
        """Return an engine that goes on from a memory."""
        engine = cls(memory.asked, rules)
        text, engine._work = split_memory(memory.states)
        states = load_states(text)
        engine._states = {symbol: states[symbol] for symbol in memory.symbols}
        engine._saved = memory.saved
        engine._forecasts = {
            (row.symbol, row.settlement_ns, row.horizon_min): row for row in memory.forecasts
        }
        return engine

    def memory(self) -> Memory:
        """Return everything this engine remembers; whatever is added to its memory belongs in there."""
        states = join_memory(dump_states(self._states), self._work, whole=True)
        return Memory(self._asked, self.symbols, states, self._saved, tuple(self._forecasts.values()))

    @property
    def rules(self) -> EngineRules:
        """What it decides by."""
        return self._rules

    @property
    def asked(self) -> tuple[str, ...]:
        """Symbols to trade."""
        return self._asked

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols looked after, also those kept only for their open state."""
        return tuple(self._states)

    @property
    def watched(self) -> tuple[str, ...]:
        """Symbols whose tickers are needed: those looked after, and BTC for the crash filter."""
        return tuple(dict.fromkeys([*self._states, BTC]))

    def decision_ns(self, symbol: str) -> int | None:
        """Return the settlement of the symbol's present campaign, None without one."""
        campaign = self._states[symbol].campaign if symbol in self._states else None
        return None if campaign is None else campaign.signal.settlement_ns

    @property
    def strategies_at_work(self) -> frozenset[str]:
        """Names of those that have a campaign under way."""
        campaigns = [state.campaign for state in self._states.values() if state.campaign is not None]
        return frozenset(name_of(campaign.signal.strategy) for campaign in campaigns)

    @property
    def is_busy(self) -> bool:
        """Whether orders are being worked, so that the venue must be asked at every poll."""
        return any(
            state.campaign is not None and state.campaign.phase != "holding"
            for state in self._states.values()
        )

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open or waiting to be booked."""
        return not any(
            state.campaign or state.shadow or state.unbooked or state.unbooked_shadows or state.signal
            for state in self._states.values()
        )

    def on_poll(self, snapshot: Snapshot, sights: Mapping[str, MarketSight] = _UNSEEN) -> list[Command]:
        """Decide on one poll.

        Parameters
        ----------
        snapshot : Snapshot
        sights : mapping of str to MarketSight
            What more than the ticker is known of a symbol's market; a symbol may be absent.

        Returns
        -------
        list of Command
            In the order they are to be carried out; everything to be journalled comes before its orders.

        """
        remember_btc(snapshot, self._work, self._rules)
        commands: list[Command] = [self._keep(forecast) for forecast in snapshot.forecasts]
        work, rules = self._work, self._rules
        commands += keep_forecasts(snapshot.bank.forecasts)
        requests = Requests(unanswered(snapshot), room_of(work, snapshot.now_ns, rules.sharing).places)
        commands += hear_bank(
            snapshot, sights, self._traded(), work.bank, work.btc, requests, rules.gates, rules.bank
        )
        for symbol in self._states:
            commands += self._symbol(symbol, snapshot, sights.get(symbol))
        commands = within_rates(commands, snapshot, self._work, self._rules)
        text = join_memory(dump_states(self._states), self._work, whole=False)
        if text != self._saved:
            self._saved = text
            commands.append(SaveState(text))
        return commands

    def adopt(self, symbol: str, orders: Sequence[OrderRow], now_ns: int) -> list[Command]:
        """Take a position of ours over that no campaign explains, to be closed at its time.

        Parameters
        ----------
        symbol : str
        orders : sequence of OrderRow
            All our orders of the symbol, those of the newest decision last.
        now_ns : int

        """
        state = self._states.setdefault(symbol, SymbolState())
        entries = [order for order in orders if order.leg == "entry"]
        if state.campaign is not None or not entries:
            return []
        last = max(entries, key=lambda order: order.decision_ns)
        signal = signal_of(symbol, last.side, last.decision_ns, self._rules.strategy)
        if last.strategy != STRATEGY:
            # Of the bank: left when its shadow is, or at that time, and booked without waiting for a settlement.
            signal = replace(signal, strategy=last.strategy, origin=BANK)
            if KINDS[name_of(last.strategy)] is Kind.ARBITRAGE:
                # One leg without the terms that held it against the other is a position nobody decided on.
                signal = replace(signal, exit_ns=now_ns, is_urgent=True)
        state.campaign = Campaign(signal, last.qty, Decimal(0), now_ns, phase="holding")
        return [Note("adopt", symbol, {"settlement_ns": last.decision_ns, "exit_ns": signal.exit_ns})]

    def _traded(self) -> Mapping[str, SymbolState]:
        """Symbols that may be entered: those kept only for their open state may not."""
        return {symbol: self._states[symbol] for symbol in self._asked}

    # --- one symbol

    def _symbol(self, symbol: str, snapshot: Snapshot, sight: MarketSight | None) -> list[Command]:
        state, rules = self._states[symbol], self._rules
        commands: list[Command] = []
        if symbol in self._asked:
            commands += wanted_forecasts(symbol, snapshot, self._forecasts, rules)
            commands += step_strategy(symbol, state, snapshot, self._forecasts, rules.strategy)
        commands += step_shadow(state, snapshot, rules)
        commands += try_entry(state, snapshot, sight, self._work, rules, self._states)
        commands += work_campaign(symbol, state, snapshot, sight, self._work, rules, self._states)
        commands += book(state, snapshot, self._states)
        return commands

    def _keep(self, forecast: Forecasted) -> Command:
        key = (forecast.symbol, forecast.settlement_ns, forecast.horizon_min)
        self._forecasts = {
            k: v for k, v in self._forecasts.items() if k[1] >= forecast.settlement_ns - 86400 * NANOSECONDS
        }
        self._forecasts[key] = forecast
        return KeepForecast(forecast)


__all__ = ["Engine", "EngineRules"]
