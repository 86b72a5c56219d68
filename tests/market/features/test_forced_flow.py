"""Verdicts on the flow, and a market for each way exhaustion can be and not be."""

from __future__ import annotations

import math

import pytest

from models.market.features.forced_flow import (
    EXHAUSTION,
    FORCED,
    INFORMED,
    UNKNOWN,
    classify_flow,
    diverges,
    exhaustion_step,
    remember_tick,
)
from models.market.features.records import new_record

TICK = 250_000_000
SHORT, LONG = 4 * TICK, 12 * TICK
NAN = math.nan


@pytest.mark.parametrize(
    ("z_fsi", "z_oi", "sparse", "spike", "persistence", "wanted"),
    [
        (2.5, 2.0, False, False, 0.9, FORCED),
        (0.0, NAN, True, True, 0.0, FORCED),
        (NAN, NAN, True, True, NAN, FORCED),
        (2.5, 1.0, False, False, 0.0, INFORMED),
        (1.0, 2.0, False, False, 0.0, INFORMED),
        (2.5, NAN, True, False, 0.9, INFORMED),
        (2.5, NAN, True, False, 0.1, UNKNOWN),
        (2.5, NAN, True, False, NAN, UNKNOWN),
        (2.5, 0.5, True, False, 0.1, UNKNOWN),
        (2.5, 2.0, True, False, 0.9, FORCED),
        (NAN, 2.0, False, False, 0.9, UNKNOWN),
    ],
)
def test_flow(z_fsi: float, z_oi: float, sparse: bool, spike: bool, persistence: float, wanted: int) -> None:
    assert classify_flow(z_fsi, z_oi, sparse, spike, persistence, 2.0, 1.5, 0.6) == wanted


# Sixteen ticks of selling: LPI peaks at tick 9, the mid's new low comes after it.
LPI = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0]
MID = [100.0 - 0.1 * i for i in range(16)]


def verdicts(
    lpi: list[float] = LPI,
    mid: list[float] = MID,
    z_ldr: list[float] | None = None,
    z_oi: float = 2.0,
    direction: int = -1,
) -> list[bool]:
    state = new_record(EXHAUSTION)
    drains = z_ldr or [5.0 - 0.1 * i for i in range(len(lpi))]
    return [
        exhaustion_step(
            state, (i + 1) * TICK, mid[i], lpi[i], drains[i], z_oi, direction, 3.0, 1.5, 3, SHORT, LONG
        )
        for i in range(len(lpi))
    ]


def test_exhausted_after_the_peak() -> None:
    found = verdicts()
    assert not any(found[:13])
    assert all(found[13:])


def test_mirrored_for_buying() -> None:
    up = [200.0 - m for m in MID]
    assert verdicts(mid=up, direction=1) == verdicts()
    assert not any(verdicts(mid=up, direction=-1))


def test_every_condition_is_needed() -> None:
    assert not any(verdicts(lpi=[0.3 * x for x in LPI]))  # under the level
    assert not any(verdicts(lpi=sorted(LPI)))  # not falling
    assert not any(verdicts(z_oi=1.0))  # positions are not closing
    assert not any(verdicts(z_ldr=[0.1 * i for i in range(16)]))  # liquidity still drains
    assert not any(verdicts(z_ldr=[NAN] * 16))
    assert not any(
        verdicts(z_ldr=[5.0 - 0.5 * (i % 2) for i in range(16)])
    )  # falls, but not K ticks in a row
    assert not any(verdicts(mid=[100.0] * 16))  # no new low
    assert not any(verdicts(direction=0))


def test_without_open_interest_its_condition_is_left_out() -> None:
    assert verdicts(z_oi=NAN) == verdicts()


def test_a_hole_starts_anew() -> None:
    state = new_record(EXHAUSTION)
    for i in range(16):
        remember_tick(state, (i + 1) * TICK, MID[i], LPI[i])
    assert diverges(state, -1, SHORT, LONG)
    remember_tick(state, 17 * TICK, NAN, 5.0)
    assert (state.seen, state.falling) == (0, 0)
    assert not diverges(state, -1, SHORT, LONG)
