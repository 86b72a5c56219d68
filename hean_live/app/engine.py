"""The deterministic core: a snapshot in, commands out; the same snapshots always give the same commands.

No clock, no socket, no file. Time is the snapshot's. What is remembered is data (`state.py`) and comes back
as a `SaveState` command whenever it changed, so that a restarted engine goes on where the last one stood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from hean_live.app.booking import book
from hean_live.app.campaign import QuotingRules, Situation, advance
from hean_live.app.gates import GateRules, judge, room_usd, size_request
from hean_live.app.shadow import close_shadow, follow_shadow, open_shadow
from hean_live.app.snapshot import (
    Cancel,
    Command,
    Forecasted,
    KeepForecast,
    Memory,
    Note,
    Place,
    SaveState,
    Snapshot,
    WantForecast,
)
from hean_live.app.state import (
    CLOSED,
    HOLDING,
    STRATEGY,
    Campaign,
    Signal,
    SymbolState,
    dump_states,
    load_states,
)
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.records import OrderRow
from models.execution.exits import EXIT_PLANS, TIME_EXIT, entered
from models.execution.market_gates import BTC, remember_price
from models.execution.memory import join_memory, split_memory
from models.execution.sharing import Request, SharingRules, room_of, sendable
from models.execution.sight import MarketSight
from models.portfolio.limits import Breach
from models.portfolio.sizing import SizerZero, size_position
from models.strategies import funding_pressure as s1

NANOSECONDS = 1_000_000_000
MINUTE_NS = 60 * NANOSECONDS
# Reasons of S1 that close the question for a settlement and are worth a word in the journal.
_VERDICTS = frozenset({s1.BELOW_THRESHOLD, s1.LOW_CONFIDENCE})
_UNSEEN: Mapping[str, MarketSight] = MappingProxyType({})


@dataclass(frozen=True)
class EngineRules:
    """Parameters of the engine.

    Attributes
    ----------
    strategy : funding_pressure.Params
    gates : GateRules
    quoting : QuotingRules
    horizons_min : tuple of int
        Minutes before a settlement at which forecasts are made.
    shadow_equity_usd : Decimal
        Equity shadow trades are sized by while no account is known.
    default_taker_fee : Decimal
        Fee of shadow trades while the account's own is not known, fraction.
    exit_plans : mapping of str to str
        Name of the exit plan (`models.execution.exits.EXIT_PLANS`) of each strategy that has one of its own; the
        others follow `quoting.exits`.
    sharing : SharingRules
        How many requests are sent a second, and how strategies share them.

    """

    strategy: s1.Params
    gates: GateRules
    quoting: QuotingRules
    horizons_min: tuple[int, ...] = (90, 60, 30)
    shadow_equity_usd: Decimal = Decimal(10_000)
    default_taker_fee: Decimal = Decimal("0.00055")
    exit_plans: Mapping[str, str] = field(default_factory=dict)
    sharing: SharingRules = field(default_factory=SharingRules)

    def quoting_of(self, strategy: str) -> QuotingRules:
        """Return how a strategy's signals are carried out."""
        name = self.exit_plans.get(strategy)
        return self.quoting if name is None else replace(self.quoting, exits=EXIT_PLANS[name])


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
        self._remember_btc(snapshot)
        commands: list[Command] = [self._keep(forecast) for forecast in snapshot.forecasts]
        for symbol in self._states:
            commands += self._symbol(symbol, snapshot, sights.get(symbol))
        commands = self._within_rates(commands, snapshot)
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
        signal = self._signal_of(symbol, last.side, last.decision_ns)
        state.campaign = Campaign(signal, last.qty, Decimal(0), now_ns, phase="holding")
        return [Note("adopt", symbol, {"settlement_ns": last.decision_ns, "exit_ns": signal.exit_ns})]

    # --- one symbol

    def _symbol(self, symbol: str, snapshot: Snapshot, sight: MarketSight | None) -> list[Command]:
        state = self._states[symbol]
        commands: list[Command] = []
        if symbol in self._asked:
            commands += self._wanted_forecasts(symbol, snapshot)
            commands += self._strategy(symbol, state, snapshot)
        commands += self._shadow(state, snapshot)
        commands += self._live_entry(state, snapshot, sight)
        commands += self._live_campaign(symbol, state, snapshot, sight)
        commands += book(state, snapshot)
        return commands

    def _keep(self, forecast: Forecasted) -> Command:
        key = (forecast.symbol, forecast.settlement_ns, forecast.horizon_min)
        self._forecasts = {
            k: v for k, v in self._forecasts.items() if k[1] >= forecast.settlement_ns - 86400 * NANOSECONDS
        }
        self._forecasts[key] = forecast
        return KeepForecast(forecast)

    def _wanted_forecasts(self, symbol: str, snapshot: Snapshot) -> list[Command]:
        ticker = snapshot.tickers.get(symbol)
        if ticker is None or not ticker.next_funding_ns or not ticker.funding_interval_h:
            return []
        settlement_ns, interval_h = ticker.next_funding_ns, ticker.funding_interval_h
        window_ns = self._rules.strategy.entry_window_s * NANOSECONDS
        wanted: list[Command] = []
        for horizon_min in self._rules.horizons_min:
            at_ns = settlement_ns - horizon_min * MINUTE_NS
            due = at_ns <= snapshot.now_ns <= at_ns + window_ns and horizon_min < interval_h * 60
            if due and (symbol, settlement_ns, horizon_min) not in self._forecasts:
                wanted.append(WantForecast(symbol, settlement_ns, horizon_min, interval_h))
        return wanted

    def _strategy(self, symbol: str, state: SymbolState, snapshot: Snapshot) -> list[Command]:
        ticker = snapshot.tickers.get(symbol)
        market = s1.new_market()
        market.now_ns = snapshot.now_ns
        market.settlement_ns = ticker.next_funding_ns if ticker and ticker.next_funding_ns else 0
        horizon_min = self._rules.strategy.entry_before_s // 60
        forecast = self._forecasts.get((symbol, int(market.settlement_ns), horizon_min))
        if forecast is not None:
            market.forecast_settlement_ns = forecast.settlement_ns
            market.predicted = forecast.predicted
            market.current = forecast.current
            market.probability_above = forecast.probability_above
            market.probability_below = forecast.probability_below
        intent = s1.step(market, self._rules.strategy, state.strategy)
        if intent.action == s1.ENTER and forecast is not None:
            return self._signal(symbol, state, snapshot, forecast, intent)
        if intent.reason in _VERDICTS and forecast is not None:
            return [Note("no_signal", symbol, _verdict(intent, forecast))]
        return []

    def _signal(
        self, symbol: str, state: SymbolState, snapshot: Snapshot, forecast: Forecasted, intent: s1.Intent
    ) -> list[Command]:
        base = self._signal_of(symbol, int(intent.side), int(intent.settlement_ns))
        signal = Signal(
            **{
                **asdict(base),
                "forecast_at_ns": forecast.made_at_ns,
                "predicted": forecast.predicted,
                "current": forecast.current,
                "confidence": float(intent.confidence),
                "regime": forecast.regime,
                "model_version": forecast.model_version,
            }
        )
        state.signal, state.blocked = signal, []
        cell = snapshot.matrix.get((STRATEGY, signal.regime))
        body = {**asdict(signal), "cell": None if cell is None else asdict(cell)}
        return [Note("signal", symbol, body)]

    def _signal_of(self, symbol: str, side: int, settlement_ns: int) -> Signal:
        params = self._rules.strategy
        start_ns = settlement_ns - params.entry_before_s * NANOSECONDS
        return Signal(
            strategy=STRATEGY,
            symbol=symbol,
            side=side,
            settlement_ns=settlement_ns,
            forecast_at_ns=start_ns,
            deadline_ns=start_ns + params.entry_window_s * NANOSECONDS,
            exit_ns=settlement_ns + params.exit_after_s * NANOSECONDS,
            predicted=0.0,
            current=0.0,
            confidence=0.0,
            regime="",
            model_version="",
        )

    # --- shadow

    def _shadow(self, state: SymbolState, snapshot: Snapshot) -> list[Command]:
        signal = state.signal
        if signal is not None and state.shadow is None:
            return self._open_shadow(state, signal, snapshot)
        shadow = state.shadow
        ticker = None if shadow is None else snapshot.tickers.get(shadow.signal.symbol)
        if shadow is None or ticker is None:
            return []
        follow_shadow(shadow, ticker, snapshot.now_ns)
        due = snapshot.now_ns >= shadow.signal.exit_ns
        if due and shadow.mark is not None and close_shadow(shadow, ticker, snapshot.now_ns):
            state.unbooked_shadows.append(shadow)
            state.shadow = None
        return []

    def _open_shadow(self, state: SymbolState, signal: Signal, snapshot: Snapshot) -> list[Command]:
        ticker = snapshot.tickers.get(signal.symbol)
        instrument = snapshot.instruments.get(signal.symbol)
        price = None if ticker is None else (ticker.ask1_price if signal.side > 0 else ticker.bid1_price)
        if ticker is None or instrument is None or not price:
            return []
        equity = snapshot.books.equity_usd if snapshot.books else self._rules.shadow_equity_usd
        if equity <= 0:
            equity = self._rules.shadow_equity_usd
        size = size_position(size_request(equity, Decimal(str(price)), instrument, self._rules.gates))
        qty = size.unrounded_qty if isinstance(size, SizerZero) else size.qty
        fee = snapshot.taker_fees.get(signal.symbol, self._rules.default_taker_fee)
        state.shadow = open_shadow(signal, ticker, qty, fee, snapshot.now_ns)
        body = {"side": signal.side, "qty": str(qty), "price": price, "taker_fee": str(fee)}
        return [Note("shadow_open", signal.symbol, body)]

    # --- live

    def _live_entry(self, state: SymbolState, snapshot: Snapshot, sight: MarketSight | None) -> list[Command]:
        signal = state.signal
        if signal is None:
            return []
        if state.campaign is not None or snapshot.now_ns > signal.deadline_ns:
            if snapshot.now_ns > signal.deadline_ns:
                state.signal = None
            return []
        verdict = judge(signal, snapshot, self._rules.gates, self._work.btc, sight)
        if isinstance(verdict, Campaign):
            state.campaign, state.signal = verdict, None
            body = {
                "qty": str(verdict.qty),
                "stop_price": str(verdict.stop_price),
                "side": signal.side,
                "settlement_ns": signal.settlement_ns,
            }
            return [Note("entry", signal.symbol, body)]
        return _block_once(state, signal, verdict)

    def _live_campaign(
        self, symbol: str, state: SymbolState, snapshot: Snapshot, sight: MarketSight | None
    ) -> list[Command]:
        campaign, instrument = state.campaign, snapshot.instruments.get(symbol)
        # Books that are not current say nothing: no conclusion is drawn from them, and no order would get through.
        if (
            campaign is None
            or instrument is None
            or snapshot.books is None
            or "UNRECONCILED" in snapshot.halts
        ):
            return []
        orders = [
            order
            for order in snapshot.orders.get(symbol, [])
            if order.decision_ns == campaign.signal.settlement_ns
        ]
        no_entries = "; ".join(reason for reason in snapshot.halts if reason != "DRY_RUN")
        situation = Situation(
            now_ns=snapshot.now_ns,
            net=snapshot.books.net.get(symbol, Decimal(0)),
            own=snapshot.books.own.get(symbol, Decimal(0)),
            orders=orders,
            quote=snapshot.quotes.get(symbol),
            instrument=instrument,
            no_entries=no_entries,
            flatten="; ".join(snapshot.halts) if snapshot.flatten else "",
            room_usd=room_usd(symbol, snapshot, self._rules.gates),
            sight=sight,
            exit_state=self._work.exits.get(symbol),
            room=room_of(self._work, snapshot.now_ns, self._rules.sharing),
        )
        rules = self._rules.quoting_of(campaign.signal.strategy)
        commands = advance(campaign, situation, rules)
        if campaign.phase == HOLDING and rules.exits != TIME_EXIT and symbol not in self._work.exits:
            self._remember_entry(symbol, campaign, orders, snapshot.now_ns, sight)
        if campaign.phase == CLOSED:
            state.campaign = None
            self._work.exits.pop(symbol, None)
            if any(order.filled_qty for order in orders):
                state.unbooked.append(campaign)
        return commands

    # --- working orders

    def _remember_btc(self, snapshot: Snapshot) -> None:
        ticker, crash = snapshot.tickers.get(BTC), self._rules.gates.crash
        if ticker is not None and ticker.mark_price:
            at_ns, price = snapshot.tickers_at_ns, float(ticker.mark_price)
            self._work.btc = remember_price(self._work.btc, at_ns, price, crash)

    def _remember_entry(
        self,
        symbol: str,
        campaign: Campaign,
        orders: Sequence[OrderRow],
        now_ns: int,
        sight: MarketSight | None,
    ) -> None:
        """Keep what the exit plan needs of an entry that is over; one whose price is not told yet is asked again."""
        filled = [order for order in orders if order.leg == "entry" and order.filled_qty]
        qty = sum((order.filled_qty for order in filled), Decimal(0))
        prices = [order.avg_price or order.price for order in filled]
        if not qty or any(price is None for price in prices):
            return
        worth = sum(
            (o.filled_qty * price for o, price in zip(filled, prices, strict=True) if price is not None),
            Decimal(0),
        )
        self._work.exits[symbol] = entered(campaign.signal.side, worth / qty, qty, now_ns, sight)

    def _within_rates(self, commands: list[Command], snapshot: Snapshot) -> list[Command]:
        """Leave out the requests there is no room for now; they are decided anew at the next poll."""
        rows = [row for orders in snapshot.orders.values() for row in orders]
        in_flight = Counter(row.strategy for row in rows if row.is_doubtful)
        requests = [_request(command) for command in commands if isinstance(command, Place | Cancel)]
        answers = iter(sendable(requests, in_flight, snapshot.now_ns, self._work, self._rules.sharing))
        return [c for c in commands if not isinstance(c, Place | Cancel) or next(answers)]


def _request(command: Place | Cancel) -> Request:
    if isinstance(command, Place):
        return Request(command.decision.strategy, False, command.decision.reduce_only)
    parsed = parse_client_id(command.client_id)
    return Request("" if parsed is None else parsed.strategy, True, False)


def _block_once(state: SymbolState, signal: Signal, breach: Breach) -> list[Command]:
    if breach.reason in state.blocked:
        return []
    state.blocked.append(breach.reason)
    body = {
        "reason": breach.reason,
        "arithmetic": breach.arithmetic,
        "settlement_ns": signal.settlement_ns,
        "side": signal.side,
        "regime": signal.regime,
    }
    return [Note("block", signal.symbol, body)]


def _verdict(intent: s1.Intent, forecast: Forecasted) -> Mapping[str, object]:
    confidence = float(intent.confidence)
    return {
        "reason": s1.REASON_NAMES[intent.reason],
        "settlement_ns": int(intent.settlement_ns),
        "predicted": forecast.predicted,
        "current": forecast.current,
        "edge": float(intent.edge),
        "confidence": None if np.isnan(confidence) else confidence,
    }
