"""Numbers in text: read to the last bit, refused when they are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.readers.scan import decimal


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.decimals(-(10**9), 10**9, places=8), st.integers(-(10**15), 10**15)), st.booleans())
def test_decimals_are_read_to_the_last_bit(value: object, quoted: bool) -> None:
    text = f'"{value:f}"' if quoted else f"{value:f}"
    read_value, at = decimal(np.frombuffer(f"{text},\n".encode(), dtype=np.uint8), 0)
    expected = float(text.strip('"'))
    assert at == len(text)
    assert read_value == expected if abs(expected) < 9e7 else read_value == pytest.approx(expected, rel=5e-16)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-05", 1e-5),
        ('"1.5E+3"', 1500.0),
        ("0.000", 0.0),
        ("12345678901234567890123", 1.2345678901234568e22),
        ('"0.07054"', 0.07054),
    ],
)
def test_unusual_numbers(text: str, expected: float) -> None:
    value, at = decimal(np.frombuffer(f"{text}]\n".encode(), dtype=np.uint8), 0)
    assert value == pytest.approx(expected, rel=5e-16, abs=0)
    assert at == len(text)


@pytest.mark.parametrize("text", ['""', '"x"', "-", "", '"1.2.3"', "1e", "1e999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    _, at = decimal(np.frombuffer(f"{text}\n".encode(), dtype=np.uint8), 0)
    assert at == -1
