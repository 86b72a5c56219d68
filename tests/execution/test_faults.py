"""Layers and a ladder under the fault simulation: the invariants of the executor hold for them too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.simulation import process
from hean_live.simulation.run import run_seed
from models.execution.exits import LADDER, Tier
from models.execution.quotes import LAYERED, QuoteParams

SEEDS = 40


def test_the_invariants_hold_with_layers_and_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    # The simulated market moves little: tiers and stop are near, so that they are reached.
    gains = ("0.0002", "0.0004", "0.0008", "0.0016")
    # Without the force-hold of a trend, which would outlast the simulation.
    ladder = replace(
        LADDER, hold_s=0.0, tiers=tuple(Tier(D(gain), D("0.25")) for gain in gains), price_stop=D("0.003")
    )
    quoting = replace(process.RULES.quoting, quotes=QuoteParams(LAYERED), exits=ladder)
    monkeypatch.setattr(process, "RULES", replace(process.RULES, quoting=quoting))
    outcomes = [run_seed(seed, trace=True) for seed in range(SEEDS)]
    assert [(row.seed, row.violations) for row in outcomes if row.violations] == []
    trace = "\n".join(line for row in outcomes for line in row.trace)
    assert "-e2 " in trace  # a third layer
    assert "-x4 " in trace  # a fourth tier
    assert sum(row.crashes for row in outcomes) > 0
