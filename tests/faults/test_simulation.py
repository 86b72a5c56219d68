"""The simulation itself: the same seed gives the same history, seeds hold their invariants, the command says what failed."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest

from hean_live.commands import simulate
from hean_live.execution.invariants import Violation
from hean_live.simulation import faults
from hean_live.simulation import run as simulation
from hean_live.simulation.run import parse_faults, run_seed, run_seeds
from hean_live.simulation.session import Outcome
from models.errors import ConfigError

SEEDS = 200  # as many as pass within 20 s on two cores that do other things too; the nightly size is a flag


def test_the_invariants_hold_over_many_seeds() -> None:
    outcomes = list(run_seeds(0, SEEDS))
    assert [(row.seed, row.violations) for row in outcomes if row.violations] == []
    # The seeds are no idle ones.
    assert sum(row.orders for row in outcomes) > 2 * SEEDS
    assert sum(row.crashes for row in outcomes) > SEEDS / 6


def test_the_same_seed_gives_the_same_history() -> None:
    first, second = run_seed(17, trace=True), run_seed(17, trace=True)
    assert first == second
    assert len(first.trace) > 3
    assert run_seed(18, trace=True).trace != first.trace


def test_a_calm_history_trades() -> None:
    outcomes = [run_seed(seed, ("calm",)) for seed in range(12)]
    assert all(not row.violations and not row.crashes for row in outcomes)
    assert sum(row.fills for row in outcomes) > 12


@pytest.mark.parametrize("kind", sorted(set(faults.ALL) - set(faults.OF_THE_BANK)))
def test_every_fault_is_drawn_by_some_seed(kind: str) -> None:
    import numpy as np

    plans = [faults.draw_plan(np.random.default_rng(seed), (kind,), 100.0) for seed in range(40)]
    drawn = [plan for plan in plans if plan != faults.FaultPlan(100.0)]
    assert 3 < len(drawn) < 40


def test_seeds_are_run_side_by_side() -> None:
    assert sorted(row.seed for row in run_seeds(5, 30, ("crash",), jobs=2)) == list(range(5, 35))


def test_an_unknown_fault_is_refused() -> None:
    assert parse_faults("crash, stale") == ("crash", "stale")
    with pytest.raises(ConfigError, match="were flood"):
        parse_faults("crash,flood")


def arguments(**changes: object) -> Namespace:
    return Namespace(**{"seeds": 3, "first": 0, "seed": None, "faults": "", "jobs": 1, **changes})


def test_the_command_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(arguments()) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["seeds"], line["violations"]) == (3, 0)


def test_a_failing_seed_names_the_command_that_shows_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Outcome(7, [Violation("I7", "the position should be 0, was 1")])
    monkeypatch.setattr(simulation, "run_seeds", lambda *_args, **_kw: [broken, Outcome(8)])
    assert simulate.run(arguments(faults="crash")) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["violations"] == 1
    assert "hean simulate --seed 7 --faults crash" in captured.err
    assert "I7: the position should be 0, was 1" in captured.err
    assert simulate.run(arguments(seed=0)) == 0
    assert "the process starts" in capsys.readouterr().err
