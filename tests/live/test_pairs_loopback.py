"""A pair live over loopback: real orders at the testnet, two positions held and left together, one trade, the same by replay."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from hean_live.app.runner import Runner
from hean_live.app.snapshot import MatrixCell
from hean_live.execution.fills import TRADE
from hean_live.replay.replay import replay
from hean_live.replay.session import find_segments
from hean_live.shadow.records import BankNews, BankSignal
from models.execution.sight import MarketSight
from models.portfolio.policy import Policy, Reason, StrategyPolicy
from models.regimes.rules import DISTRIBUTION
from tests.live.bank_polls import CALM, TRENDING
from tests.live.support import local_settings, make_runner, poll_until

OWN, PARTNER, NAME, SYSTEM = "BTCUSDT", "ETHUSDT", "correlation_arb", "S15"
RATIO = 20.0
MEASURED = {**TRENDING, "spread_bps": 1.0, "partner_share": 1.0, "partner_spread": 1e-4}


def calm(parts) -> dict[str, MarketSight]:
    """Return what streams would say of both markets: whole books, seen now."""
    now_ns = parts.feed.now_ns
    return dict.fromkeys((OWN, PARTNER), replace(CALM, book_at_ns=now_ns, open_interest_at_ns=now_ns))


@pytest.fixture(autouse=True)
def _seen(monkeypatch) -> None:
    monkeypatch.setattr("hean_live.app.runner.sights_of", calm)


class Told:
    """Stands where the bank of shadows does: what a test says is what it has seen."""

    problem = ""

    def __init__(self) -> None:
        self.signals: tuple[BankSignal, ...] = ()
        self.holding: tuple[tuple[str, str], ...] = ()

    def news(self) -> BankNews:
        signals, self.signals = self.signals, ()
        return BankNews(signals, (), self.holding, True)

    def follow_quotes(self, _names) -> None:
        pass

    def close(self) -> None:
        pass


def told_runner(tmp_path, testnet, told: Told) -> Runner:
    settings = local_settings(tmp_path, testnet, symbols=(OWN, PARTNER))
    runner = make_runner(settings)
    now_ns = runner._parts.feed.now_ns
    runner._parts.shadows = told
    live = StrategyPolicy("live", (Reason("PROMOTED"),), 0.4)
    models = runner._parts.models
    models.policy = Policy(now_ns - 10**9, now_ns + 86_400 * 10**9, strategies={NAME: live})
    models.matrix = {(SYSTEM, DISTRIBUTION): MatrixCell(400, 5.0, 0.99, 50.0, 0.1)}
    return runner


def want(runner: Runner, told: Told) -> None:
    at_ns = runner._parts.feed.now_ns
    told.signals = (
        BankSignal(
            NAME, OWN, 1, at_ns, 0.01, True, 80.0, "ENTRY", DISTRIBUTION, MEASURED,
            partner=PARTNER, ratio=RATIO,
        ),
    )  # fmt: skip
    told.holding = ((NAME, OWN),)


def held(testnet) -> dict[str, Decimal]:
    positions = testnet.venue.exchange.account.positions
    return {symbol: own.qty for symbol, own in positions.items() if own.qty}


def net(runner: Runner) -> dict[str, Decimal]:
    books = runner._parts.account.books
    return {symbol: qty for symbol, qty in books.net.items() if qty}


@pytest.mark.parametrize("dies", [False, True])
def test_a_pair_is_held_and_left_in_both_legs(tmp_path, testnet, dies):
    told = Told()
    runner = told_runner(tmp_path, testnet, told)
    runner.poll()
    want(runner, told)
    poll_until(runner, lambda: len(net(runner)) == 2, each=lambda: testnet.advance(seconds=1))
    own, partner = net(runner)[OWN], net(runner)[PARTNER]
    assert own > 0 > partner
    assert abs(partner) <= own * Decimal(RATIO)
    assert own * Decimal(RATIO) - abs(partner) < Decimal("0.02")
    stops = {row.symbol for row in runner._parts.journal.active_orders()}
    assert stops == set()  # the legs were bought at the market; their stops are the venue's own
    if dies:
        runner._parts.journal.close()
        told_after = Told()
        told_after.holding = told.holding
        told, runner = told_after, told_runner(tmp_path, testnet, told_after)
        poll_until(runner, lambda: len(net(runner)) == 2, each=lambda: testnet.advance(seconds=1))
        assert {s: c.campaign.partner for s, c in runner._parts.engine._states.items()} == {
            OWN: PARTNER,
            PARTNER: OWN,
        }
    told.holding = ()
    journal = runner._parts.journal
    poll_until(runner, lambda: journal.count("trades") == 1, each=lambda: testnet.advance(seconds=1))
    assert net(runner) == {}
    (trade,) = journal._db.execute(
        "SELECT strategy, symbol, mode, fees_usd, funding_usd, pnl_usd FROM trades"
    )
    fills = [row for symbol in (OWN, PARTNER) for row in journal.fills_of(symbol) if row.kind == TRADE]
    assert {row.symbol for row in fills} == {OWN, PARTNER}
    money = sum(-row.side * row.qty * row.price - row.fee_usd for row in fills)
    assert trade[:3] == (SYSTEM, OWN, "live")
    assert trade[3] == pytest.approx(float(sum(row.fee_usd for row in fills)))
    assert trade[5] == pytest.approx(float(money) + trade[4])
    runner.shut_down("the test says so")
    outcome = replay(find_segments(tmp_path))
    assert outcome.first is None
    assert outcome.commands > 0
