"""Settings of the execution: their defaults are the records' own, and each reaches the record it names."""

from __future__ import annotations

import pytest

from hean_live.app.bank.sizing import BankRules
from hean_live.app.campaigns.phases import QuotingRules
from hean_live.app.configured_rules import engine_rules
from hean_live.settings import effective, load_settings
from models.errors import ConfigError
from models.execution.exits import LADDER, TIME_EXIT
from models.execution.market_gates import CrashRules, CrashWindow, FreshnessRules
from models.execution.pulls import PullRules
from models.execution.quotes import LAYERED, QuoteParams
from models.portfolio.conviction import CapitalRule
from tests.live.factories import signal


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    return tmp_path


def test_defaults_are_those_of_the_records():
    rules = engine_rules(load_settings())
    assert rules.gates.crash == CrashRules()
    assert rules.gates.freshness == FreshnessRules()
    assert rules.quoting == QuotingRules()
    assert rules.quoting_of(signal()) == QuotingRules()
    assert rules.bank == BankRules()


def test_quotes_pulls_and_gates_are_selected(home):
    (home / "hean.toml").write_text(
        "[live]\n"
        'quote_layers = "layered"\nquote_requote_ticks = 2\nquote_max_age_s = 5\n'
        "pull_book_age_s = 4\npull_vpin_rank = 0.9\npull_spread_ratio = 2.5\n"
        "max_book_age_s = 3\nmax_open_interest_age_s = 120\n"
        "btc_crash_5min = 0.005\nbtc_crash_15min = 0.015\nbtc_price_age_s = 30\n"
    )
    rules = engine_rules(load_settings())
    assert rules.quoting.quotes == QuoteParams(LAYERED, 2, 5.0, PullRules(4.0, 0.9, 2.5))
    assert rules.gates.freshness == FreshnessRules(3.0, 120.0)
    windows = (CrashWindow(300, -0.005), CrashWindow(900, -0.015))
    assert rules.gates.crash == CrashRules(windows, price_age_s=30.0)


def test_what_bounds_s1_bounds_the_signals_of_the_bank(home):
    (home / "hean.toml").write_text(
        "[live]\nrisk_per_trade = 0.005\ncapital_per_trade = 0.01\nmax_forecast_age_s = 300\n"
        "max_book_age_s = 3\nbtc_crash_5min = 0.005\n"
    )
    rules = engine_rules(load_settings())
    bank = rules.bank
    assert (bank.gates.crash, bank.gates.data.freshness) == (rules.gates.crash, rules.gates.freshness)
    assert bank.gates.data.forecast_age_s == 300.0
    assert bank.conviction.risk_fraction == 0.005
    assert bank.conviction.capital == CapitalRule(0.008, 0.01)
    assert bank.conviction.own_capital["liquidation_hunter"] == CapitalRule(0.01, 0.01)


def test_a_plan_of_a_strategys_own(monkeypatch, home):
    (home / "hean.toml").write_text('[live.exit_plans]\nS1 = "ladder"\n')
    rules = engine_rules(load_settings())
    plans = [rules.quoting_of(signal(strategy=name)).exits for name in ("S1", "S2")]
    assert plans == [LADDER, TIME_EXIT]
    monkeypatch.setenv("HEAN_LIVE_EXIT_PLANS", "S1=time, S6=ladder")
    settings = load_settings()
    assert settings.exit_plans == {"S1": "time", "S6": "ladder"}
    assert effective(settings)["exit_plans"] == "S1=time,S6=ladder"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("exit_plans", "S1", "pairs such as S1=ladder"),
        ("exit_plans", "S1=fast", "plans among ladder, time, was fast"),
        ("exit_plans", "s1=ladder", "strategies such as S1, was s1"),
        ("quote_layers", "many", "quote_layers"),
        ("pull_vpin_rank", 1.5, "pull_vpin_rank"),
        ("max_book_age_s", 0, "max_book_age_s"),
        ("btc_crash_5min", -0.01, "btc_crash_5min"),
    ],
)
def test_what_cannot_be_is_refused(field, value, words):
    with pytest.raises(ConfigError, match=words):
        load_settings(**{field: value})
