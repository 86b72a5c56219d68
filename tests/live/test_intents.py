"""Orders durable before the wire: the ring of slots, and the journal that puts them into its tables."""

import json
import random
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from hean_live.app.watched_journal import WatchedJournal
from hean_live.execution.intents import LONGEST, SLOT, SLOTS, IntentFile
from hean_live.execution.journal import Journal, JournalError
from hean_live.execution.records import ACTIVE_STATES, CANCELLED, FILLED, LOST, OPEN, SUBMITTING, OrderRow

OWN, OTHER = bytes(range(16)), bytes(16)
ORDER = OrderRow(
    "hn-S1-BTCUSDT-s0000-e0",
    "S1",
    "BTCUSDT",
    1,
    "Limit/PostOnly",
    Decimal("0.010"),
    Decimal("60000.10"),
    False,
    "entry",
    1_700_000_000_000_000_000,
    SUBMITTING,
)


@pytest.fixture
def ring(tmp_path):
    opened = IntentFile(tmp_path / "ring", OWN, fsync=True)
    yield opened
    opened.close()


def test_records_come_back_in_order_after_a_number(ring):
    for number in range(5, 10):
        ring.write(number, b"order %d" % number)
    assert ring.after(7) == [(8, b"order 8"), (9, b"order 9")]
    assert ring.after(9) == []


def test_the_ring_keeps_its_last_slots(ring):
    for number in range(1, 2 * SLOTS + 4):
        ring.write(number, b"%d" % number)
    found = ring.after(0)
    assert [number for number, _ in found] == list(range(SLOTS + 4, 2 * SLOTS + 4))
    assert all(text == b"%d" % number for number, text in found)


def test_a_record_as_long_as_the_slot(ring):
    ring.write(1, b"x" * LONGEST)
    assert ring.after(0) == [(1, b"x" * LONGEST)]


def test_a_torn_record_is_not_there(ring, tmp_path):
    for number in (1, 2):
        ring.write(number, b"a record")
    path = tmp_path / "ring"
    for at in range(2 * SLOT, 2 * SLOT + 40):
        data = bytearray(path.read_bytes())
        data[at] ^= 0x10
        torn = tmp_path / "torn"
        torn.write_bytes(data)
        with closing(IntentFile(torn, OWN, fsync=False)) as found:
            assert [number for number, _ in found.after(0)] in ([1], [1, 2])
            assert all(text == b"a record" for _, text in found.after(0))


def test_another_journals_records_are_not_there(ring, tmp_path):
    ring.write(1, b"a record")
    with closing(IntentFile(tmp_path / "ring", OTHER, fsync=False)) as other:
        assert other.after(0) == []


def test_a_file_of_another_size_is_made_anew(tmp_path):
    path = tmp_path / "ring"
    path.write_bytes(b"half a ring")
    with closing(IntentFile(path, OWN, fsync=True)) as made:
        assert made.after(0) == []
    assert path.stat().st_size == SLOT * SLOTS


def test_it_is_its_owners_alone(ring, tmp_path):
    assert (tmp_path / "ring").stat().st_mode & 0o077 == 0


def rows_in_file(journal: Journal) -> list[str]:
    return [row[0] for row in journal._db.execute("SELECT client_id FROM orders ORDER BY rowid")]


def test_an_intent_is_in_the_tables_for_whoever_reads(journal):
    journal.stamp(70, 80)
    row = journal.intend(ORDER)
    assert rows_in_file(journal) == []
    assert (row.created_ns, row.updated_ns) == (70, 70)
    journal.stamp(90, 95)
    assert journal.order(ORDER.client_id) == row
    assert rows_in_file(journal) == [ORDER.client_id]
    event = journal._db.execute("SELECT at_ns, wall_ns, kind, body FROM events").fetchone()
    assert event[:3] == (70, 80, "order_state")
    assert json.loads(event[3])["state"] == SUBMITTING
    assert journal.at_ns == 90


def test_an_intent_survives_the_process(journal):
    journal.intend(ORDER)
    with closing(Journal(journal.path)) as after:
        assert [row.client_id for row in after.active_orders()] == [ORDER.client_id]
        after.put_order(replace(ORDER, state=FILLED))
    with closing(Journal(journal.path)) as later:
        assert later.order(ORDER.client_id).state == FILLED
        assert later.active_orders() == []


def test_whoever_was_quicker_is_not_written_over(journal):
    journal.intend(ORDER)
    with closing(Journal(journal.path)) as other:
        other.put_order(replace(ORDER, state=OPEN, venue_id="v1"))
    assert journal.order(ORDER.client_id).state == OPEN
    assert journal.count("events", "kind = 'order_state'") == 2


class _Heard:
    def __init__(self):
        self.told = []

    def on_intent(self):
        self.told.append("intent")

    def on_event(self, kind, strategy, symbol, body):
        self.told.append(kind)


def test_a_watcher_hears_of_an_intent_before_the_wire_whoever_puts_it_into_the_tables(tmp_path):
    heard = _Heard()
    with closing(WatchedJournal(tmp_path / "journal.sqlite", heard)) as journal:
        journal.intend(ORDER)
        assert heard.told == ["intent"]
        with closing(Journal(journal.path)):  # takes it into the tables before the writer does
            pass
        journal.put_order(replace(ORDER, state=OPEN))
        assert heard.told == ["intent", "order_state"]


def test_an_order_decided_again_is_submitting_again(journal):
    journal.put_order(replace(ORDER, state=LOST))
    journal.intend(ORDER)
    with closing(Journal(journal.path)) as after:
        assert after.order(ORDER.client_id).state == SUBMITTING


def test_numbers_go_on_over_restarts(journal):
    ids = []
    for number in range(2 * SLOTS):
        with closing(Journal(journal.path)) as life:
            life.intend(replace(ORDER, client_id=f"o{number}"))
        ids.append(f"o{number}")
    with closing(Journal(journal.path)) as last:
        assert [row.client_id for row in last.active_orders()] == ids


def test_more_intents_than_slots_without_a_read(journal):
    ids = [f"o{number}" for number in range(3 * SLOTS)]
    for client_id in ids:
        journal.intend(replace(ORDER, client_id=client_id))
    with closing(Journal(journal.path)) as after:
        assert [row.client_id for row in after.active_orders()] == ids


def test_a_step_that_failed_does_not_lose_what_it_took_along(journal):
    journal.intend(ORDER)

    def fail():
        with journal.transaction():
            journal.event("start", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert journal.count("events", "kind = 'start'") == 0
    assert journal.order(ORDER.client_id).state == SUBMITTING
    assert journal.count("events", "kind = 'order_state'") == 1


def test_what_does_not_fit_or_is_part_of_a_step_goes_into_the_tables(journal):
    journal.intend(replace(ORDER, reason="x" * SLOT))
    assert rows_in_file(journal) == [ORDER.client_id]
    with journal.transaction():
        journal.intend(replace(ORDER, client_id="second"))
    assert rows_in_file(journal) == [ORDER.client_id, "second"]


def fail_after(journal: Journal, row: OrderRow) -> None:
    with journal.transaction():
        journal.put_order(row)
        raise RuntimeError


def test_active_orders_are_those_of_the_table(journal):
    draw = random.Random(5)
    journal.active_orders()
    for step in range(300):
        journal.stamp(step, step)
        row = replace(ORDER, client_id=f"o{draw.randrange(12)}")
        if draw.random() < 0.3:
            journal.intend(row)
        else:
            journal.put_order(
                replace(row, state=draw.choice((OPEN, FILLED, CANCELLED, SUBMITTING)), created_ns=step // 3)
            )
        if draw.random() < 0.1:
            with pytest.raises(RuntimeError):
                fail_after(journal, replace(row, state=FILLED))
        marks = ",".join("?" * len(ACTIVE_STATES))
        assert journal.active_orders() == journal._orders(f"state IN ({marks})", ACTIVE_STATES)


def test_a_ring_that_cannot_be_made_names_the_journal(tmp_path):
    (tmp_path / "journal.sqlite-intents").mkdir()
    with pytest.raises(JournalError, match=r"journal\.sqlite") as caught:
        Journal(tmp_path / "journal.sqlite")
    assert "rights" in caught.value.remedy
