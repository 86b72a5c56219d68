"""Faults on an executor that quotes in layers and leaves by tiers so near that a position is often sold before its time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.simulation import faults, process, session
from hean_live.simulation.run import run_seed, run_seeds
from models.execution.exits import LADDER, Tier
from models.execution.quotes import LAYERED, QuoteParams

# Without the force-hold of a trend, which would outlast the simulation.
NEAR = replace(
    LADDER,
    hold_s=0.0,
    tiers=tuple(Tier(D(gain), D("0.25")) for gain in ("0.0005", "0.001", "0.0015", "0.002")),
)
LOSSES = (faults.CRASH, faults.LOST_JOURNAL)


@pytest.fixture(autouse=True)
def _layers(monkeypatch: pytest.MonkeyPatch) -> None:
    quoting = replace(process.RULES.quoting, quotes=QuoteParams(LAYERED), exits=NEAR)
    monkeypatch.setattr(process, "RULES", replace(process.RULES, quoting=quoting))


def test_the_invariants_hold() -> None:
    outcomes = [*run_seeds(0, 30), *run_seeds(0, 30, LOSSES)]
    assert [(row.seed, row.violations) for row in outcomes if row.violations] == []
    assert sum(row.orders for row in outcomes) > 600


@pytest.mark.parametrize(("seed", "allowed"), [(189, faults.ALL), (189, LOSSES), (1, LOSSES)])
def test_seeds_that_once_broke_an_invariant(seed: int, allowed: tuple[str, ...]) -> None:
    assert run_seed(seed, allowed).violations == []


def test_a_position_sold_before_the_journal_was_lost_is_not_bought_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "_WITH_BANK", 0.0)
    monkeypatch.setattr(session, "_WITH_SIGHTS", 0.0)
    outcome = run_seed(36, LOSSES, trace=True)
    assert outcome.violations == []
    # What the first life bought and sold again is known from the venue when the second takes the same signal.
    (lost,) = (at for at, line in enumerate(outcome.trace) if "the journal is lost" in line)
    before, after = outcome.trace[:lost], outcome.trace[lost:]
    assert any("AAAUSDT-sx6pvh-e0" in line for line in before)
    assert not [line for line in after if "place hn-S1-AAAUSDT" in line]
