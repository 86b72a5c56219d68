"""From settings to what the engine decides by. Translation alone: defaults and checks are the settings' own."""

from __future__ import annotations

from dataclasses import replace

from hean_live.app.bank.sizing import BankRules
from hean_live.app.campaigns.situation import MirrorRules, QuotingRules
from hean_live.app.gates import GateRules
from hean_live.app.rules import EngineRules
from hean_live.settings import LiveSettings
from models.execution.market_gates import CrashRules, CrashWindow, FreshnessRules
from models.execution.pulls import PullRules
from models.execution.quotes import AT_TOUCH, LAYERED, QuoteParams
from models.gates.market_state import DataRules
from models.gates.order import GateRules as SignalGateRules
from models.portfolio.conviction import CapitalRule, ConvictionRules
from models.portfolio.limits import Limits
from models.strategies import funding_pressure as s1

_LAYERS = {"touch": AT_TOUCH, "layered": LAYERED}


def engine_rules(settings: LiveSettings) -> EngineRules:
    """Translate settings into the engine's rules."""
    limits = Limits(
        capital_fraction=settings.capital_per_trade,
        leverage=settings.leverage,
        symbol_exposure=settings.max_symbol_exposure,
        total_exposure=settings.max_total_exposure,
        ticker_age_s=settings.max_ticker_age_s,
        forecast_age_s=settings.max_forecast_age_s,
        clock_offset_ms=settings.max_clock_offset_ms,
    )
    gates = GateRules(
        limits=limits,
        risk_fraction=settings.risk_per_trade,
        stop_fraction=settings.stop_fraction,
        capital_fraction=settings.capital_per_trade,
        leverage=settings.leverage,
        crash=CrashRules(
            windows=(
                CrashWindow(300, -settings.btc_crash_5min),
                CrashWindow(900, -settings.btc_crash_15min),
            ),
            price_age_s=settings.btc_price_age_s,
        ),
        freshness=FreshnessRules(settings.max_book_age_s, settings.max_open_interest_age_s),
    )
    strategy = s1.Params(
        threshold=settings.s1_threshold,
        entry_before_s=settings.s1_entry_before_s,
        entry_window_s=settings.s1_entry_window_s,
        exit_after_s=settings.s1_exit_after_s,
        min_confidence=settings.s1_min_confidence,
        capital_share=float(settings.capital_per_trade),
    )
    quoting = QuotingRules(
        max_requotes=settings.max_requotes,
        entry_maker_s=settings.entry_maker_s,
        exit_maker_s=settings.exit_maker_s,
        entry_taker_fallback=settings.entry_taker_fallback,
        taker_slippage=settings.taker_slippage,
        quotes=QuoteParams(
            layers=_LAYERS[settings.quote_layers],
            requote_ticks=settings.quote_requote_ticks,
            max_age_s=settings.quote_max_age_s,
            pulls=PullRules(settings.pull_book_age_s, settings.pull_vpin_rank, settings.pull_spread_ratio),
        ),
        mirror=MirrorRules(stale_s=settings.max_quotes_age_s, silent_s=2.0 * settings.max_quotes_age_s),
    )
    horizons = tuple(sorted({90, 60, 30, settings.s1_entry_before_s // 60}, reverse=True))
    return EngineRules(
        strategy=strategy,
        gates=gates,
        quoting=quoting,
        horizons_min=horizons,
        shadow_equity_usd=settings.shadow_equity_usd,
        exit_plans=settings.exit_plans,
        bank=_bank_rules(settings, gates),
    )


def _bank_rules(settings: LiveSettings, gates: GateRules) -> BankRules:
    """Return the rules of the bank's signals: the same crash, freshness and risk as S1's, and no trade above its capital."""
    most, usual = float(settings.capital_per_trade), ConvictionRules()
    return BankRules(
        gates=SignalGateRules(
            crash=gates.crash,
            data=DataRules(gates.freshness, gates.limits.forecast_age_s, settings.max_signal_age_s),
        ),
        conviction=replace(
            usual,
            risk_fraction=float(settings.risk_per_trade),
            capital=_at_most(usual.capital, most),
            own_capital={name: _at_most(rule, most) for name, rule in usual.own_capital.items()},
        ),
    )


def _at_most(rule: CapitalRule, most: float) -> CapitalRule:
    return CapitalRule(min(rule.base, most), min(rule.limit, most))
