"""The journal: typed round trips, durability settings, and what happens when the disk is full."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.execution.journal import Journal, JournalError
from hean_live.execution.records import FILLED, OPEN, SUBMITTING, FillRow, OrderRow, TradeRow

ORDER = OrderRow(
    "hn-S1-BTCUSDT-1-e0",
    "S1",
    "BTCUSDT",
    1,
    "Limit",
    D("0.010"),
    D("60000.10"),
    False,
    "entry",
    10**9,
    SUBMITTING,
)
FILL = FillRow(
    "x1", ORDER.client_id, "v1", "BTCUSDT", 1, D("0.004"), D("60000.10"), D("0.048"), True, "trade", 5
)


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "journal.sqlite")
    opened.stamp(100, 200)
    yield opened
    opened.close()


def test_the_file_is_durable_and_readable_by_others(journal):
    with sqlite3.connect(journal.path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("SELECT value FROM meta WHERE key='schema_version'").fetchone() == ("1",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    other.close()


def test_orders_keep_every_digit(journal):
    journal.put_order(ORDER)
    journal.stamp(150, 250)
    journal.put_order(replace(ORDER, state=OPEN, venue_id="v1", created_ns=100))
    row = journal.order(ORDER.client_id)
    assert (str(row.qty), str(row.price), row.state) == ("0.010", "60000.10", OPEN)
    assert (row.created_ns, row.updated_ns) == (100, 150)
    assert journal.order_by_venue_id("v1") == row
    assert [r.client_id for r in journal.active_orders()] == [ORDER.client_id]
    journal.put_order(replace(row, state=FILLED))
    assert journal.active_orders() == []
    assert [event["state"] for event in journal.events("order_state")] == ["submitting", "open", "filled"]


def test_a_fill_counts_once(journal):
    assert journal.add_fill(FILL)
    assert not journal.add_fill(FILL)
    assert journal.has_fill("x1")
    assert journal.fills_of("BTCUSDT") == [FILL]


def test_trades_forecasts_and_equity(journal):
    trade = TradeRow(
        "t", "S1", "BTCUSDT", "RANGE", "live", 1, D(1), 1, D(2), 3, D(4), 0.1, 0.2, 0.3, 0.4, 0.5, None, "7"
    )
    journal.add_trade(trade)
    journal.add_trade(trade)
    journal.add_equity(1.0, 2.0)
    journal.add_forecast("BTCUSDT", 9, 90, 3, "7", (0.1, 0.0, 0.1, 0.2))
    assert [journal.count(table) for table in ("trades", "equity", "forecasts")] == [1, 1, 1]


def test_a_failed_transaction_leaves_nothing(journal):
    def fail_half_way():
        with journal.transaction():
            journal.event("start", {})
            with journal.transaction():
                journal.put_order(ORDER)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert journal.count("events") == 0
    assert journal.order(ORDER.client_id) is None


def test_nan_never_enters_the_journal(journal):
    with pytest.raises(ValueError, match="JSON"):
        journal.event("signal", {"edge": float("nan")})
    assert journal.count("events") == 0


def fill_up(journal):
    for number in range(2000):
        journal.put_order(replace(ORDER, client_id=f"o{number}", reason="x" * 200))


def test_a_full_disk_stops_trading_with_its_remedy(journal):
    journal._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(JournalError, match="full") as caught:
        fill_up(journal)
    assert "free disk space" in caught.value.remedy


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    with pytest.raises(JournalError):
        Journal(path)


def test_another_schema_is_refused(tmp_path):
    first = Journal(tmp_path / "journal.sqlite")
    first.set_meta("schema_version", "99")
    first.close()
    with pytest.raises(JournalError, match="was 99"):
        Journal(tmp_path / "journal.sqlite")
