"""What the engine wants written down, written into the journal. Requests to a venue are none of this module's business."""

from __future__ import annotations

import logging
from dataclasses import asdict

from hean_live.app.snapshot import (
    BookCampaign,
    Command,
    Forecasted,
    KeepForecast,
    KeepTrade,
    Note,
    SaveState,
)
from hean_live.app.state import STRATEGY, Campaign
from hean_live.execution.journal import Journal
from hean_live.execution.records import TradeRow
from hean_live.execution.trades import TradeContext, both_legs, build_live_trade

log = logging.getLogger(__name__)

STATE_KEY = "engine_state"


def keep(journal: Journal, command: Command) -> None:
    """Write what one command says into the journal; the caller holds the transaction."""
    if isinstance(command, Note):
        log.info("%s %s %s", command.kind, command.symbol, dict(command.body))
        journal.event(command.kind, command.body, strategy=command.strategy, symbol=command.symbol)
    elif isinstance(command, KeepForecast):
        _keep_forecast(journal, command.forecast)
    elif isinstance(command, KeepTrade):
        journal.add_trade(command.trade)
        log.info("trade %s: %.4f USD", command.trade.trade_id, command.trade.pnl_usd)
    elif isinstance(command, BookCampaign):
        _book(journal, command)
    elif isinstance(command, SaveState):
        journal.set_meta(STATE_KEY, command.text)


def _book(journal: Journal, command: BookCampaign) -> None:
    signal = command.campaign.signal
    trade = _trade_of(journal, command.campaign, command.realised_rate)
    if command.second is not None:
        second = _trade_of(journal, command.second, None)
        trade = None if trade is None or second is None else both_legs(trade, second)
    if trade is None:
        body = {"code": "TRADE_INCOMPLETE", "detail": "the fills known do not close the position"}
        journal.event("error", body, strategy=signal.strategy, symbol=signal.symbol)
        return
    journal.add_trade(trade)
    log.info("trade %s: %.4f USD", trade.trade_id, trade.pnl_usd)


def _trade_of(journal: Journal, campaign: Campaign, realised_rate: float | None) -> TradeRow | None:
    signal = campaign.signal
    context = TradeContext(
        strategy=signal.strategy,
        symbol=signal.symbol,
        decision_ns=signal.settlement_ns,
        regime=signal.regime,
        predicted=signal.predicted,
        realised_rate=realised_rate,
        model_version=signal.model_version,
    )
    orders = journal.orders_of(signal.symbol, signal.settlement_ns)
    return build_live_trade(context, orders, journal.fills_of(signal.symbol))


def _keep_forecast(journal: Journal, forecast: Forecasted) -> None:
    values = (forecast.predicted, forecast.q05, forecast.q50, forecast.q95)
    journal.add_forecast(
        forecast.symbol,
        forecast.settlement_ns,
        forecast.horizon_min,
        forecast.made_at_ns,
        forecast.model_version,
        values,
    )
    journal.event("forecast", asdict(forecast), strategy=STRATEGY, symbol=forecast.symbol)
