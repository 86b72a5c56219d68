"""A market maker live over loopback: its shadow's quotes rest at the venue, what fills is quoted out, booked, and replayed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from hean_live.app.configured_rules import engine_rules
from hean_live.app.rules import EngineRules
from hean_live.app.runner import Runner
from hean_live.app.snapshot import MatrixCell
from hean_live.replay.replay import replay
from hean_live.replay.session import find_segments
from hean_live.settings import LiveSettings
from models.portfolio.policy import Policy, Reason, StrategyPolicy
from models.portfolio.rotator import BOTH, RotatorRules
from models.regimes.rules import HIGH_ENTROPY, RANGE, UNKNOWN
from tests.live.shadow.lives import SPEED, START_MS, Lives, at_work, count, poll_until
from tests.local_testnet.server import RunningTestnet

REGIMES = (UNKNOWN, RANGE, HIGH_ENTROPY)
MAKER, SYSTEM = "inventory_neutral_mm", "S12"


def rules(settings: LiveSettings) -> EngineRules:
    """Return the rules of these settings; in this market's first minutes no regime is known, and the maker quotes in any."""
    own = engine_rules(settings)
    table = {regime: {MAKER: BOTH} for regime in REGIMES}
    return replace(own, bank=replace(own.bank, rotator=RotatorRules(table=table)))


def promote(runner: Runner) -> None:
    """Let one market maker trade, and say that it pays."""
    now_ns = START_MS * 1_000_000
    live = StrategyPolicy("live", (Reason("PROMOTED"),), 0.4)
    models = runner._parts.models
    models.policy = Policy(now_ns - 10**9, now_ns + 86_400 * 10**9, strategies={MAKER: live})
    models.matrix = {(SYSTEM, regime): MatrixCell(400, 5.0, 0.99, 50.0, 0.1) for regime in REGIMES}


@pytest.mark.parametrize("testnet", ["100000"], indirect=True)
def test_a_market_maker_is_quoted_live(
    lives: Lives, testnet: RunningTestnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hean_live.app.start.engine_rules", rules)
    runner = lives.start()
    promote(runner)
    testnet.clock(speed=1.0)
    poll_until(runner, at_work(runner))
    testnet.clock(speed=SPEED)
    poll_until(runner, lambda: count(runner, "SELECT count(*) FROM trades WHERE mode = 'live'") >= 2)
    journal = runner._parts.journal
    orders = [row for row in journal.orders_of("BTCUSDT") if row.strategy == SYSTEM]
    entries = [row for row in orders if row.leg == "entry"]
    # Both sides rested at once, never crossing, and what filled was left by a maker's order or at the market.
    assert {row.side for row in entries} == {1, -1}
    assert {row.order_type for row in entries} == {"Limit/PostOnly"}
    assert all(row.reduce_only for row in orders if row.leg == "exit")
    trades = journal._db.execute("SELECT strategy, qty, fees_usd FROM trades WHERE mode = 'live'").fetchall()
    assert {strategy for strategy, _, _ in trades} == {SYSTEM}
    assert all(Decimal(qty) > 0 and fees > 0.0 for _, qty, fees in trades)
    said = [event for event in journal.events("bank_signal") if event["strategy"] == SYSTEM]
    assert any(event["side"] == 0 and not event["not_traded"] for event in said)
    lives.stop()

    venue = testnet.venue.exchange
    assert not [order for order in venue.open_orders() if order.request.link_id.startswith(f"hn-{SYSTEM}")]
    outcome = replay(find_segments(tmp_path))
    assert outcome.first is None
    assert outcome.commands > 0
