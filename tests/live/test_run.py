"""The whole loop in this process against the local testnet: one settlement from forecast to booked trade, and its variants."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from hean_live.app.runner import Options
from hean_live.venues.bybit import BybitVenue
from models.errors import ConfigError
from tests.live.conftest import SETTLEMENT_MS
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    matrix_bundle,
    poll_until,
    structural_predictor,
)

HIGH = 0.002  # a forecast far above anything settled: always a short
SETTLEMENT_NS = SETTLEMENT_MS * 1_000_000


@pytest.fixture
def start(tmp_path, testnet):
    runners = []

    def begin(contents=None, options=None, probe=None, **changes):
        settings = local_settings(tmp_path, testnet, **changes)
        if contents is not None:
            cache_bundle(settings, contents)
        runner = make_runner(settings, options, probe)
        runner.warm_up()
        runners.append(runner)
        return runner

    yield begin
    for runner in runners:
        runner._parts.worker.close()
        for watcher in runner._parts.watchers.values():
            watcher.close()


def journal_of(runner):
    return runner._parts.journal


def trades(runner, mode):
    cursor = journal_of(runner)._db.execute("SELECT * FROM trades WHERE mode = ?", (mode,))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def through_entry(runner, testnet):
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    poll_until(
        runner,
        lambda: (
            runner._parts.account.books.net.get("BTCUSDT", 0) != 0 and not journal_of(runner).active_orders()
        ),
        each=lambda: testnet.advance(seconds=10),
    )


def through_exit(runner, testnet):
    testnet.clock(now_ms=SETTLEMENT_MS + 300_000)
    poll_until(runner, lambda: runner._parts.engine.is_idle, each=lambda: testnet.advance(seconds=10))


def test_one_settlement_from_forecast_to_booked_trade(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)))
    through_entry(runner, testnet)
    position = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret).positions()[0]
    assert position.side == -1
    assert position.stop_loss is not None
    assert position.stop_loss > position.avg_price
    for minutes in (60, 30):
        testnet.clock(now_ms=SETTLEMENT_MS - minutes * 60_000)
        poll_until(runner, lambda m=minutes: journal_of(runner).count("forecasts", f"horizon_min = {m}") == 1)
    through_exit(runner, testnet)
    live, shadow = trades(runner, "live"), trades(runner, "shadow")
    assert len(live) == len(shadow) == 1
    trade = live[0]
    history = testnet.get("/v5/market/funding/history", category="linear", symbol="BTCUSDT", limit=1)
    realised = float(history["result"]["list"][0]["fundingRate"])
    assert trade["realised_rate"] == shadow[0]["realised_rate"] == realised
    fills = [fill for fill in journal_of(runner).fills_of("BTCUSDT") if fill.kind == "funding"]
    assert [fill.at_ns for fill in fills] == [SETTLEMENT_NS]
    assert trade["funding_usd"] == pytest.approx(-float(fills[0].fee_usd))
    assert trade["funding_usd"] * realised >= 0  # a short receives a positive rate
    gross = -float(trade["qty"]) * (float(trade["exit_price"]) - float(trade["entry_price"]))
    assert trade["pnl_usd"] == pytest.approx(gross - trade["fees_usd"] + trade["funding_usd"])
    assert trade["predicted"] == pytest.approx(HIGH)
    assert trade["exit_ns"] >= SETTLEMENT_NS + 300 * 10**9
    assert BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret).positions() == []
    order_ids = [row.client_id for row in journal_of(runner).orders_of("BTCUSDT")]
    assert len(order_ids) == len(set(order_ids))


def test_the_structural_model_forecasts_from_live_history(start, testnet):
    runner = start(funding_bundle(structural_predictor()), symbols=("BTCUSDT", "ETHUSDT"))
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    poll_until(runner, lambda: journal_of(runner).count("forecasts") == 2)
    rows = journal_of(runner).events("forecast")
    assert {row["symbol"] for row in rows} == {"BTCUSDT", "ETHUSDT"}
    for row in rows:
        assert row["q05"] <= row["q50"] <= row["q95"]
        assert row["made_at_ns"] == SETTLEMENT_NS - 90 * 60 * 10**9
        assert abs(row["predicted"]) < 0.01


def shadow_only(runner, testnet, reason):
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    poll_until(runner, lambda: journal_of(runner).count("events", "kind = 'block'") > 0)
    assert journal_of(runner).events("block")[0]["reason"] == reason
    through_exit(runner, testnet)
    assert journal_of(runner).count("orders") == 0
    assert len(trades(runner, "shadow")) == 1
    assert trades(runner, "live") == []


def test_without_evidence_it_shadows(start, testnet):
    contents = funding_bundle(constant_predictor(HIGH), evidence={"E1": {"passed": False, "r2": 0.1}})
    shadow_only(start(contents), testnet, "EVIDENCE")


def test_an_expired_bundle_takes_no_entries(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH), expires_at_ns=SETTLEMENT_NS - 5400 * 10**9))
    runner.poll()
    shadow_only(runner, testnet, "EXPIRED")
    states = [row["refusals"] for row in journal_of(runner).events("model_state")]
    assert [bool(state) for state in states] == [False, True]  # said once at each change


def test_a_bundle_for_other_features_makes_no_forecast(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH), feature_spec_hash="0" * 64))
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    for _ in range(5):
        runner.poll()
    assert journal_of(runner).count("forecasts") == 0
    assert [row["refusals"][0][0] for row in journal_of(runner).events("model_state")] == ["FEATURE_SPEC"]


def test_without_a_bundle_it_is_ready_and_idle(start, testnet):
    runner = start()
    runner.poll()
    assert runner.bundle_version == ""
    assert journal_of(runner).events("model_state")[0]["refusals"][0][0] == "NO_BUNDLE"


def test_a_negative_matrix_cell_blocks(start, testnet, tmp_path):
    cells = [
        {
            "strategy": "S1",
            "regime": regime,
            "n": 40,
            "ev_usd": -0.3,
            "ev_shrunk_usd": -0.2,
            "ev_sd_usd": 0.1,
            "p_ev_positive": 0.01,
        }
        for regime in (
            "RANGE",
            "HIGH_ENTROPY",
            "DISTRIBUTION",
            "IMPULSE_MARKUP",
            "IMPULSE_MARKDOWN",
            "UNKNOWN",
        )
    ]
    settings = local_settings(tmp_path, testnet)
    from hean_live.app.start import bundles_path
    from hean_live.bundle.cache import BundleCache, Pointer

    cache = BundleCache(bundles_path(settings) / settings.matrix_name)
    cache.store("1", matrix_bundle(cells))
    cache.point_to(Pointer("1", "run"))
    runner = start(funding_bundle(constant_predictor(HIGH)))
    shadow_only(runner, testnet, "MATRIX_NEGATIVE")
    assert journal_of(runner).events("signal")[0]["cell"]["trades"] == 40


def test_a_dry_run_needs_no_key_and_sends_no_order(start, testnet):
    contents = funding_bundle(constant_predictor(HIGH))
    runner = start(contents, Options(dry_run=True), api_key="", api_secret="")
    shadow_only(runner, testnet, "DRY_RUN")


def test_without_a_key_a_live_run_says_what_is_missing(tmp_path, testnet):
    with pytest.raises(ConfigError, match="API key") as caught:
        make_runner(local_settings(tmp_path, testnet, api_key="", api_secret=""))
    assert "--dry-run" in caught.value.remedy


def test_a_small_account_is_refused_with_the_arithmetic(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)), capital_per_trade=D("0.0001"))
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    poll_until(runner, lambda: journal_of(runner).count("events", "kind = 'block'") > 0)
    block = journal_of(runner).events("block")[0]
    assert block["reason"] == "SIZER_ZERO"
    assert "smallest tradable lot" in block["arithmetic"]


def test_a_skewed_clock_refuses_entries(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)), clock_check_s=0.001)
    testnet.clock(wall_offset_ms=700)
    shadow_only(runner, testnet, "CLOCK_OFFSET")


def test_stopping_leaves_no_open_order_and_keeps_the_protected_position(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)))
    through_entry(runner, testnet)
    summary = runner.shut_down("SIGTERM")
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    assert [order for order in venue.open_orders() if not order.stop_order_type] == []
    assert venue.positions()[0].stop_loss is not None
    assert list(summary["positions_left_to_their_stops"]) == ["BTCUSDT"]
    assert summary["orders_not_confirmed_cancelled"] == []


def test_flat_on_exit_closes(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)), Options(flat_on_exit=True), poll_interval_s=0.05)
    through_entry(runner, testnet)
    runner.stop("SIGTERM")
    assert runner.shut_down("SIGTERM")["positions_left_to_their_stops"] == {}
    assert BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret).positions() == []


def test_an_order_still_quoted_is_cancelled_when_stopping(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)))
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    poll_until(runner, lambda: journal_of(runner).count("orders") > 0)
    runner.shut_down("SIGTERM")
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    assert [order for order in venue.open_orders() if not order.stop_order_type] == []


@pytest.mark.parametrize("how", ["file", "signal", "drawdown"])
def test_the_kill_switch_closes_everything_and_stays_off(start, testnet, tmp_path, how):
    runner = start(funding_bundle(constant_predictor(HIGH)))
    through_entry(runner, testnet)
    if how == "file":
        (tmp_path / "KILL").touch()
    elif how == "signal":
        runner.kill("SIGUSR1")
    else:
        journal_of(runner).set_meta("peak_equity_usd", "125100")
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    poll_until(runner, lambda: not venue.positions(), each=lambda: testnet.advance(seconds=5))
    assert runner._parts.kill_switch.reason
    assert len(journal_of(runner).events("kill_switch")) == 1
    runner._parts.journal.close()
    (tmp_path / "KILL").unlink(missing_ok=True)
    again = start()
    assert again._parts.kill_switch.reason
    journal_of(again).close()
    settings = local_settings(tmp_path, testnet)
    from hean_live.app.start import assemble

    armed = assemble(settings, Options(), rearm=True)
    assert armed._parts.kill_switch.reason == ""


def test_an_outage_is_said_once_and_survived(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)))
    testnet.fault("http_status", path_prefix="/v5/", status=503, count=40)
    for _ in range(4):
        runner.poll()
    assert len([row for row in journal_of(runner).events("error") if row["code"] == "MARKET_DATA"]) == 1
    testnet.clear_faults()
    runner.poll()
    assert "MARKET_DATA" in [row["code"] for row in journal_of(runner).events("recovered")]


def test_a_failed_query_is_not_flat(start, testnet):
    runner = start(funding_bundle(constant_predictor(HIGH)))
    through_entry(runner, testnet)
    testnet.fault("http_status", path_prefix="/v5/position/list", status=503, count=3)
    for _ in range(3):
        runner.poll()
    books = runner._parts.account.books
    assert books.net["BTCUSDT"] != 0
    assert runner._parts.engine.decision_ns("BTCUSDT") == SETTLEMENT_NS
    assert runner._parts.account.problem
