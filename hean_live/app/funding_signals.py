"""S1's side of the engine: which forecasts it needs, and what it decides on them. Changes only the state given.

What becomes of a signal is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from hean_live.app.rules import EngineRules
from hean_live.app.snapshot import Command, Forecasted, Note, Snapshot, WantForecast
from hean_live.app.state import STRATEGY, Signal, SymbolState
from models.strategies import funding_pressure as s1

Forecasts = Mapping[tuple[str, int, int], Forecasted]
"""By symbol, settlement (ns UTC) and horizon (minutes)."""

NANOSECONDS = 1_000_000_000
MINUTE_NS = 60 * NANOSECONDS
# Reasons of S1 that close the question for a settlement and are worth a word in the journal.
_VERDICTS = frozenset({s1.BELOW_THRESHOLD, s1.LOW_CONFIDENCE})


def wanted_forecasts(
    symbol: str, snapshot: Snapshot, forecasts: Forecasts, rules: EngineRules
) -> list[Command]:
    """Return the forecasts of the next settlement that are due now and not there."""
    ticker = snapshot.tickers.get(symbol)
    if ticker is None or not ticker.next_funding_ns or not ticker.funding_interval_h:
        return []
    settlement_ns, interval_h = ticker.next_funding_ns, ticker.funding_interval_h
    window_ns = rules.strategy.entry_window_s * NANOSECONDS
    wanted: list[Command] = []
    for horizon_min in rules.horizons_min:
        at_ns = settlement_ns - horizon_min * MINUTE_NS
        due = at_ns <= snapshot.now_ns <= at_ns + window_ns and horizon_min < interval_h * 60
        if due and (symbol, settlement_ns, horizon_min) not in forecasts:
            wanted.append(WantForecast(symbol, settlement_ns, horizon_min, interval_h))
    return wanted


def step_strategy(
    symbol: str, state: SymbolState, snapshot: Snapshot, forecasts: Forecasts, params: s1.Params
) -> list[Command]:
    """Let S1 look at one symbol; a signal is put into `state`, which is changed in place."""
    ticker = snapshot.tickers.get(symbol)
    market = s1.new_market()
    market.now_ns = snapshot.now_ns
    market.settlement_ns = ticker.next_funding_ns if ticker and ticker.next_funding_ns else 0
    horizon_min = params.entry_before_s // 60
    forecast = forecasts.get((symbol, int(market.settlement_ns), horizon_min))
    if forecast is not None:
        market.forecast_settlement_ns = forecast.settlement_ns
        market.predicted = forecast.predicted
        market.current = forecast.current
        market.probability_above = forecast.probability_above
        market.probability_below = forecast.probability_below
    intent = s1.step(market, params, state.strategy)
    if intent.action == s1.ENTER and forecast is not None:
        return _signal(symbol, state, snapshot, forecast, intent, params)
    if intent.reason in _VERDICTS and forecast is not None:
        return [Note("no_signal", symbol, _verdict(intent, forecast))]
    return []


def signal_of(symbol: str, side: int, settlement_ns: int, params: s1.Params) -> Signal:
    """Return the bare signal of a decision: its times, without a forecast."""
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


def _signal(
    symbol: str,
    state: SymbolState,
    snapshot: Snapshot,
    forecast: Forecasted,
    intent: s1.Intent,
    params: s1.Params,
) -> list[Command]:
    base = signal_of(symbol, int(intent.side), int(intent.settlement_ns), params)
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
