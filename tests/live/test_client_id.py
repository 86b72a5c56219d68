from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hean_live.execution.client_id import NANOSECONDS, client_order_id, parse_client_id

SETTLEMENT = 1_748_793_600 * NANOSECONDS


def test_the_id_is_readable_and_stable():
    assert client_order_id("S1", "BTCUSDT", SETTLEMENT, "e0") == "hn-S1-BTCUSDT-sx6ps0-e0"


@given(
    symbol=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=40),
    second=st.integers(1, 4_000_000_000),
    leg=st.sampled_from(["e0", "e12", "x0", "x999", "s3"]),
)
def test_every_id_fits_the_venue_and_reads_back(symbol, second, leg):
    text = client_order_id("S1", symbol, second * NANOSECONDS, leg)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,36}", text)
    parsed = parse_client_id(text)
    assert parsed is not None
    assert (parsed.strategy, parsed.decision_ns, parsed.leg) == ("S1", second * NANOSECONDS, leg)


def test_long_symbols_do_not_collide():
    ids = {client_order_id("S1", "A" * 30 + suffix, SETTLEMENT, "e0") for suffix in ("X", "Y", "Z")}
    assert len(ids) == 3


@pytest.mark.parametrize("text", ["", "my-order", "hn-S1-BTCUSDT", "hn-S1-BTCUSDT-sx6ps0-q0", "x" * 36])
def test_foreign_ids_are_not_ours(text):
    assert parse_client_id(text) is None


def test_a_fraction_of_a_second_is_refused():
    with pytest.raises(ValueError, match="whole second"):
        client_order_id("S1", "BTCUSDT", SETTLEMENT + 1, "e0")


def test_leg_names():
    legs = {
        leg: parse_client_id(client_order_id("S1", "BTCUSDT", SETTLEMENT, leg)).leg_name
        for leg in ("e0", "x1", "s0")
    }
    assert legs == {"e0": "entry", "x1": "exit", "s0": "stop"}
