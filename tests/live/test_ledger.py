"""The ledger against the local testnet's own wallet after real trading, and against numbers worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from hean_live.app.runner import Runner
from hean_live.commands.ledger import UNBALANCED, as_json
from hean_live.execution.ledger import Held, Ledger, Mark, add_up, from_text, judge, to_text, trade
from hean_live.execution.records import FillRow
from hean_live.ledger import from_journal, from_venue, read_journal
from hean_live.venues.bybit import BybitVenue
from models.errors import ConfigError, DataError
from models.market.wallet_changes import WalletChange, parse_wallet_changes
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.local_testnet.client import buy, sell, signed_post
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.support import shared_path

D = Decimal
START = Mark(1_000, D("500"), D("500"), 0)


def fill(side: int, qty: str, price: str, fee: str = "0", kind: str = "trade", at_ns: int = 2_000) -> FillRow:
    name = f"{side}{qty}{price}{at_ns}"
    return FillRow(name, "", "", "X", side, D(qty), D(price), D(fee), False, kind, at_ns)


def test_sums_are_those_worked_out_by_hand() -> None:
    fills = [
        fill(1, "2", "10", "0.02"),
        fill(1, "1", "13", "0.01", at_ns=3_000),
        fill(0, "3", "11", "0.5", "funding", 4_000),
        fill(-1, "2", "14", "0.03", at_ns=5_000),
    ]
    [line] = add_up(START, fills).lines
    # Three for 33, two of them sold at 14: 28 − 22.
    assert (line.realised_usd, line.fees_usd, line.funding_usd) == (D(6), D("0.06"), D("-0.5"))
    assert line.held == Held(D(1), D(11))
    assert line.volume_usd == D(20 + 13 + 28)
    assert add_up(START, fills).cash_usd == D("505.44")


def test_a_trade_through_zero_closes_and_opens() -> None:
    held, profit = trade(Held(D(2), D(20)), -1, D(5), D(12))
    assert (held, profit) == (Held(D(-3), D(36)), D(4))
    held, profit = trade(held, 1, D(3), D(10))
    assert (held.qty, profit) == (D(0), D(6))


def test_what_was_held_at_the_start_counts_with_its_entry() -> None:
    start = Mark(1_000, D("500"), D("510"), 0, {"X": Held(D(2), D(20))})
    ledger = add_up(start, [fill(-1, "2", "15")])
    assert ledger.cash_usd == D(510)


def test_transfers_count_and_trades_in_the_log_do_not() -> None:
    def change(kind: str, amount: str, at_ns: int, category: str = "", coin: str = "USDT") -> WalletChange:
        return WalletChange(kind, category, coin, "", D(amount), "", at_ns)

    log = [
        change("TRANSFER_IN", "100", 2_000),
        change("TRANSFER_OUT", "-30", 3_000),
        change("TRANSFER_IN", "7", 900),  # before the start
        change("TRANSFER_IN", "9", 2_000, coin="BTC"),
        change("TRADE", "-1", 2_000, "linear"),
        change("TRADE", "-2", 2_000, "spot"),
    ]
    assert add_up(START, [], log).transfers_usd == D(68)


def test_a_verdict_names_what_differs() -> None:
    ledger = Ledger(START, ())
    assert judge(ledger, D("500.0049")).reconciles
    assert not judge(ledger, D("500.005")).reconciles
    verdict = judge(ledger, D("500"), {"X": Held(D(1), D(9))}, (["a", "b"], ["b", "c"]))
    assert not verdict.reconciles
    assert verdict.positions == {"X": (D(0), D(1))}
    assert (verdict.not_in_journal, verdict.not_at_venue) == (("c",), ("a",))


def test_a_mark_comes_back_from_its_text() -> None:
    mark = Mark(5, D("1.20"), D("1.3"), 7, {"X": Held(D("-0.001"), D("2.50"))})
    assert from_text(to_text(mark)) == mark
    with pytest.raises(DataError, match="ledger"):
        from_text('{"at_ns": 1}')


def test_the_documented_log_is_read() -> None:
    path = shared_path("fixtures/bybit/docs_official/account__transaction-log__0.json")
    rows = parse_wallet_changes(json.loads(path.read_text())["result"])
    assert rows[0] == WalletChange(
        "SETTLEMENT",
        "linear",
        "USDT",
        "XRPUSDT",
        D("-0.003676"),
        "534c0003-4bf7-486f-aa02-78cee36825e4",
        1_672_128_000_000_000_000,
    )
    assert all(row.is_trading for row in rows)


# --- against the local testnet


@pytest.fixture
def runner(testnet: RunningTestnet, tmp_path: Path) -> Iterator[Runner]:
    settings = local_settings(tmp_path, testnet)
    cache_bundle(settings, funding_bundle(constant_predictor(0.002)))
    running = make_runner(settings)
    running.warm_up()
    yield running
    running.shut_down("the test ends")


def check(testnet: RunningTestnet, path: Path, venue: BybitVenue) -> None:
    """Both ways of comparing agree with the exchange's own account."""
    kept = read_journal(path)
    own = testnet.venue.exchange.account
    for account in (from_venue(kept, venue, testnet.venue.exchange.now_ns), from_journal(kept)):
        assert account.verdict.reconciles, as_json(account)
        assert abs(account.verdict.difference_usd) < D("0.000001")  # the venue rounds to eight decimals
        assert abs(account.ledger.cash_usd - own.wallet_usd) < D("0.000001")
        assert sum(line.fees_usd for line in account.ledger.lines) == own.fees_usd
        assert sum(line.funding_usd for line in account.ledger.lines) == own.funding_usd


def settle(runner: Runner, testnet: RunningTestnet) -> None:
    """Poll until the journal has everything the exchange has done."""
    poll_until(runner, lambda: runner._parts.journal.count("fills") == len(testnet.venue.exchange.executions))
    runner.poll()
    runner.poll()


def test_real_trading_reconciles(
    runner: Runner, testnet: RunningTestnet, venue: BybitVenue, tmp_path: Path
) -> None:
    """Ours and by hand, in several parts, across a settlement, reversed, and closed by a stop."""
    path = tmp_path / "journal.sqlite"
    poll_until(runner, lambda: runner._parts.account is not None and not runner._parts.account.problem)
    # Deeper than the best level, so that one order has several fills.
    assert buy(testnet, "ETHUSDT", "300")["retCode"] == 0
    books = lambda: runner._parts.account.books.own.get("BTCUSDT", 0)  # type: ignore[union-attr]  # noqa: E731
    poll_until(runner, lambda: books() != 0, each=lambda: testnet.advance(seconds=5))
    testnet.advance(hours=1, minutes=40)  # the settlement
    settle(runner, testnet)
    assert sell(testnet, "ETHUSDT", "120.5")["retCode"] == 0
    settle(runner, testnet)
    check(testnet, path, venue)
    assert sell(testnet, "ETHUSDT", "200")["retCode"] == 0  # through zero
    position = testnet.venue.exchange.position("ETHUSDT")
    stop = f"{float(testnet.venue.exchange.mark('ETHUSDT')) * 1.0005:.2f}"
    stops = {"category": "linear", "symbol": "ETHUSDT", "stopLoss": stop, "positionIdx": 0}
    assert signed_post(testnet, "/v5/position/trading-stop", **stops)["retCode"] == 0
    for _ in range(48):
        if not position.qty:
            break
        testnet.advance(hours=1)
    assert not position.qty
    poll_until(runner, lambda: books() == 0, each=lambda: testnet.advance(seconds=5))
    settle(runner, testnet)
    check(testnet, path, venue)
    kinds = {execution.kind for execution in testnet.venue.exchange.executions}
    assert {"Trade", "Funding"} <= kinds


def test_a_liquidation_reconciles(tmp_path: Path) -> None:
    with start_testnet(("BTCUSDT",), days=10, extra_days=30, equity="2000") as testnet:
        runner = make_runner(local_settings(tmp_path, testnet))
        venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
        try:
            poll_until(
                runner, lambda: runner._parts.account is not None and not runner._parts.account.problem
            )
            leverage = {
                "category": "linear",
                "symbol": "BTCUSDT",
                "buyLeverage": "100",
                "sellLeverage": "100",
            }
            signed_post(testnet, "/v5/position/set-leverage", **leverage)
            exchange = testnet.venue.exchange
            qty = f"{2000 * 60 / float(exchange.mark('BTCUSDT')):.3f}"
            assert buy(testnet, "BTCUSDT", qty)["retCode"] == 0
            for _ in range(20 * 24):
                if any(execution.kind == "BustTrade" for execution in exchange.executions):
                    break
                testnet.advance(hours=1)
            assert exchange.executions[-1].kind == "BustTrade"
            settle(runner, testnet)
            check(testnet, tmp_path / "journal.sqlite", venue)
        finally:
            runner.shut_down("the test ends")


def test_a_fill_the_journal_lacks_is_named(
    runner: Runner, testnet: RunningTestnet, venue: BybitVenue, tmp_path: Path
) -> None:
    poll_until(runner, lambda: runner._parts.account is not None and not runner._parts.account.problem)
    testnet.advance(seconds=1)
    assert buy(testnet, "ETHUSDT", "1")["retCode"] == 0  # nobody polls any more
    verdict = from_venue(
        read_journal(tmp_path / "journal.sqlite"), venue, testnet.venue.exchange.now_ns
    ).verdict
    assert not verdict.reconciles
    ids = [execution.exec_id for execution in testnet.venue.exchange.executions]
    assert list(verdict.not_in_journal) == sorted(ids)
    assert verdict.positions == {"ETHUSDT": (D(0), D(1))}
    assert verdict.difference_usd == -testnet.venue.exchange.account.fees_usd


def test_the_command_says_by_its_exit_code(
    runner: Runner,
    testnet: RunningTestnet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from hean_live.cli import main

    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    monkeypatch.setenv("HEAN_LIVE_ENVIRONMENT", "local")
    monkeypatch.setenv("HEAN_LIVE_ORDER_URL", testnet.base_url)
    monkeypatch.setenv("HEAN_LIVE_API_KEY", testnet.api_key)
    monkeypatch.setenv("HEAN_LIVE_API_SECRET", testnet.api_secret)
    poll_until(runner, lambda: runner._parts.account is not None and not runner._parts.account.problem)
    testnet.advance(seconds=1)
    assert main(["ledger"]) == 0
    assert "reconciles" in capsys.readouterr().out
    assert buy(testnet, "ETHUSDT", "1")["retCode"] == 0
    assert main(["ledger", "--json"]) == UNBALANCED
    assert json.loads(capsys.readouterr().out)["reconciles"] is False
    assert main(["ledger", "--offline"]) == 0  # as the journal last saw it


def test_without_a_journal_or_a_reconciliation_it_says_so(tmp_path: Path) -> None:
    from hean_live.execution.journal import Journal

    path = tmp_path / "journal.sqlite"
    with pytest.raises(ConfigError, match="journal"):
        read_journal(path)
    with closing(Journal(path)):
        pass
    with pytest.raises(DataError, match="first reconciliation"):
        read_journal(path)
