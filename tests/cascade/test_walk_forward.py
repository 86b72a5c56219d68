"""Walk-forward: nothing from after a forecast touches it; a planted precursor is found, none is found where none is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.cascade.labels import CascadeTable
from models.cascade.scores import BETTER, NO_BETTER, average_precision, choose, score_all
from models.cascade.training import TrainingParams, calibration_split, fit
from models.cascade.walk_forward import WalkForwardParams, folds, walk_forward
from models.errors import DataError
from tests.cascade.markets import table_of

HOURS = 72.0
PLANTED, NOTHING = 2.0, 0.0
QUICK = WalkForwardParams(training=TrainingParams(trees=20, rounds=20))


def test_folds_are_purged_and_embargoed() -> None:
    table = table_of(PLANTED, 11, HOURS)
    params = WalkForwardParams(embargo_s=600.0)
    found = folds(table, params)
    assert len(found) >= 4
    for train, test in found:
        gap = table.made_at_ns[test[0]] - table.known_ns[train].max()
        assert gap >= 600e9
        fitted, calibrating = calibration_split(table.take(train), params.training)
        assert calibrating.made_at_ns[0] - fitted.known_ns.max() >= params.training.embargo_s * 1e9
    tested = np.concatenate([test for _, test in found])
    assert len(np.unique(tested)) == len(tested)


def test_what_comes_later_changes_no_earlier_forecast() -> None:
    table = table_of(PLANTED, 11, HOURS)
    splits = folds(table, QUICK)
    first_test, second_test = splits[0][1], splits[1][1]
    changed = CascadeTable(
        table.made_at_ns,
        table.known_ns,
        table.onset_ns.copy(),
        table.features.copy(),
        table.horizon_ns,
        table.sources,
    )
    changed.features[second_test] = -changed.features[second_test]
    changed.onset_ns[second_test] = 0
    honest, other = walk_forward(table, QUICK), walk_forward(changed, QUICK)
    n = len(first_test)
    for name, said in honest.items():
        assert np.array_equal(said.probability[:n], other[name].probability[:n]), name


@pytest.mark.parametrize("seed", [11, 12])
def test_the_planted_precursor_is_found(seed: int) -> None:
    table = table_of(PLANTED, seed, HOURS)
    many = walk_forward(table)
    scores = {s.model: s for s in score_all(table, many)}
    chosen = choose(table, many)
    assert chosen != "base_rate"
    assert scores[chosen].verdict == BETTER
    tested = table.take(many["base_rate"].rows)
    known = average_precision(tested.label, tested.features[:, 5])  # the size of the basis is what is planted
    assert scores[chosen].average_precision > 0.7 * known
    assert scores["base_rate"].verdict == NO_BETTER


@pytest.mark.parametrize("seed", [11, 12])
def test_nothing_is_found_where_nothing_is_planted(seed: int) -> None:
    table = table_of(NOTHING, seed, HOURS)
    many = walk_forward(table)
    assert {s.verdict for s in score_all(table, many)} == {NO_BETTER}
    assert choose(table, many) == "base_rate"


def test_without_the_columns_that_carry_it_nothing_is_found() -> None:
    table = table_of(PLANTED, 11, HOURS)
    blind = replace(table, features=table.features.copy())
    blind.features[:, 3:6] = np.nan  # funding and basis
    assert all(s.verdict == NO_BETTER for s in score_all(blind, walk_forward(blind, QUICK)))


def test_too_few_cascades_are_no_ground_to_learn_on() -> None:
    table = table_of(PLANTED, 11, HOURS)
    few = table.take(np.arange(200))
    assert not len(walk_forward(few)["forest"].rows)
    with pytest.raises(DataError, match="cascades to"):
        fit("forest", few)
    with pytest.raises(DataError, match="base_rate among the candidates"):
        walk_forward(table, candidates=("forest",))
