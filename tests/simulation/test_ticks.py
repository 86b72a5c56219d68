"""The compiled writer against Python's own formatting, the window of events, and the order of a replay."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hean_live.local_testnet.stream.frames import frame
from models.errors import DataError
from models.market.tape import DEPTH, END_OF_MESSAGE, EVENT, TRADE
from models.simulation.ticks.replay import VenueOrder
from models.simulation.ticks.text import HEAD, frame_start, id_of, put_decimal, put_whole
from models.simulation.ticks.window import EventWindow


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**15), st.integers(0, 8), st.booleans())
def test_decimals_are_written_as_python_writes_them(units: int, decimals: int, strip: bool) -> None:
    buf = np.zeros(64, dtype=np.uint8)
    end = put_decimal(buf, 3, units, decimals, strip)
    expected = f"{Decimal(units).scaleb(-decimals):.{decimals}f}"
    if strip and "." in expected:
        expected = expected.rstrip("0").rstrip(".")
    assert buf[3:end].tobytes().decode() == expected


@pytest.mark.parametrize("value", [0, 9, 10, 1_736_553_600_000, -1, -120])
def test_whole_numbers(value: int) -> None:
    buf = np.zeros(32, dtype=np.uint8)
    assert buf[: put_whole(buf, 0, value)].tobytes().decode() == str(value)


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 70_000])
def test_frames_have_the_heads_of_the_protocol(size: int) -> None:
    buf = np.zeros(HEAD + size, dtype=np.uint8)
    buf[HEAD:] = 97
    start = frame_start(buf, HEAD, HEAD + size)
    assert buf[start:].tobytes() == frame(b"a" * size)


def test_ids_differ_and_repeat() -> None:
    ids = {id_of(salt, number) for salt in (1, 2) for number in range(1000)}
    assert len(ids) == 2000
    assert id_of(5, 7) == id_of(5, 7)
    assert [len(part) for part in id_of(5, 7).split("-")] == [8, 4, 4, 4, 12]


def rows(*times: int, kind: int = TRADE) -> np.ndarray:
    events = np.zeros(len(times), dtype=EVENT)
    events["exch_ts"] = times
    events["local_ts"] = np.arange(1, len(times) + 1)
    events["kind"] = kind
    return events


def test_the_window_shows_remembers_and_forgets() -> None:
    window = EventWindow(0, capacity=4)
    window.append(rows(1, 2, 2, 5))
    window.append(rows(5, 9))
    assert window.show(2)["exch_ts"].tolist() == [1, 2, 2]
    assert window.show(2).size == 0
    assert window.show(7)["exch_ts"].tolist() == [5, 5]
    assert window.between(1, 5)["exch_ts"].tolist() == [2, 2, 5, 5]
    assert window.forget(2)["exch_ts"].tolist() == [1, 2, 2]
    for at in range(10, 2000):
        window.append(rows(at))
        window.show(at)
        window.forget(at - 3)
    assert window.between(1997, 1999)["exch_ts"].tolist() == [1998, 1999]
    with pytest.raises(DataError, match="remembered from"):
        window.between(5, 9)
    with pytest.raises(DataError, match="ascending"):
        window.append(rows(1500))


def test_a_replay_is_in_the_venues_order_and_keeps_messages_whole() -> None:
    order = VenueOrder(shift_ns=1000)
    received = np.concatenate(
        [rows(50, 50, kind=DEPTH), rows(50, kind=END_OF_MESSAGE), rows(40), rows(0, 60)]
    )
    order.add(received)
    taken = order.take(1055)
    assert taken["exch_ts"].tolist() == [
        1040,
        1040,
        1050,
        1050,
        1050,
    ]  # a row without a stamp has that of the row before
    assert taken["kind"].tolist() == [TRADE, TRADE, DEPTH, DEPTH, END_OF_MESSAGE]
    order.add(rows(30))
    # The row that came after its time was over is played at once, never in the past.
    assert order.take(1100)["exch_ts"].tolist() == [1056, 1060]
