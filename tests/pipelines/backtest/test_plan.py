from __future__ import annotations

import pytest

from hean_pipelines.backtest.markets import CONTRACTS, SCENARIOS, synthetic_market
from hean_pipelines.backtest.plan import QUEUE_MODELS, make_plan
from models.errors import ConfigError
from models.simulation.fills.parameters import CONSTANT, POWER
from models.simulation.order_flow.parameters import OrderFlowParameters, check_parameters


def test_defaults_suit_a_small_account():
    plan = make_plan("S5")
    assert (plan.capital_usd, plan.days, plan.market) == (500.0, 1.0, "synthetic")
    lot_usd = plan.venue.lot_size * plan.order_flow.start_price
    assert lot_usd < plan.params.capital_share * plan.capital_usd


@pytest.mark.parametrize("symbol", list(CONTRACTS))
def test_every_synthetic_market_is_possible_and_worth_the_same(symbol):
    market, btc = synthetic_market(symbol, "everything"), OrderFlowParameters()
    check_parameters(market)
    usd = market.regime_touch_depth[1] * market.start_price
    assert usd == pytest.approx(btc.regime_touch_depth[1] * btc.start_price)
    assert synthetic_market(symbol, "null").whales_per_hour == 0.0


def test_options_reach_the_venue():
    plan = make_plan("S5", latency_ms=(20.0, 30.0), fees=(-0.0001, 0.0004), queue="power", seed=9)
    venue = plan.venue
    assert (venue.latency_model, venue.entry_median_ms, venue.response_median_ms) == (CONSTANT, 20.0, 30.0)
    assert (venue.maker_fee, venue.taker_fee, venue.queue_model, venue.seed) == (-0.0001, 0.0004, POWER, 9)
    assert plan.facts()["venue"]["queue_model"] == "power"
    assert len(QUEUE_MODELS) == 6


def test_the_folder_tells_apart_what_was_asked_and_nothing_else():
    assert make_plan("S5").folder() == make_plan("impact_reversion", seed=1).folder()
    assert make_plan("S5").folder() != make_plan("S5", changes={"stop_share": "0.5"}).folder()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"days": 0.0}, "days: expected a number above 0"),
        ({"days": float("nan")}, "days: expected"),
        ({"seed": -1}, "seed: expected"),
        ({"capital_usd": -5.0}, "capital: expected USD above 0"),
        ({"symbol": "ABCUSDT"}, "symbol: expected one of BTCUSDT"),
        ({"scenario": "wild"}, f"scenario: expected one of {', '.join(SCENARIOS)}"),
        ({"queue": "lifo"}, "queue model: expected one of risk_adverse"),
        ({"fees": (2.0, 5.5)}, "maker_fee from"),
        ({"capacity": (0.5,)}, "capacity: expected multiples"),
        ({"market": "paper"}, "market: expected synthetic, slow or recorded"),
        ({"market": "recorded"}, "expected at least one file"),
        ({"steps": (0.1, None)}, "expected recorded where a tape or its steps are given"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(options, words):
    with pytest.raises(ConfigError, match=words):
        make_plan("S5", **options)


def test_a_recording_needs_a_symbol_a_format_and_files_that_exist(tmp_path):
    tape = tmp_path / "tape.jsonl"
    with pytest.raises(ConfigError, match="symbol: expected the one to trade"):
        make_plan("S5", market="recorded", tapes=[tape])
    with pytest.raises(ConfigError, match="expected a file, was nothing at"):
        make_plan("S5", market="recorded", tapes=[tape], symbol="BTCUSDT")
    tape.touch()
    with pytest.raises(ConfigError, match="tape format: expected one of bybit"):
        make_plan("S5", market="recorded", tapes=[tape], symbol="BTCUSDT", tape_format="bybt")
    with pytest.raises(ConfigError, match="symbol: expected one of"):
        make_plan("S5", market="recorded", tapes=[tape], symbol="ABCUSDT")
    plan = make_plan("S5", market="recorded", tapes=[tape], symbol="ABCUSDT", steps=(0.5, 2.0))
    assert (plan.venue.tick_size, plan.venue.lot_size, plan.days) == (0.5, 2.0, None)
