"""Folds are purged and anchored to the calendar; quantiles come from earlier errors only."""

from __future__ import annotations

import numpy as np
import pytest

from models.funding.distribution import LEVELS, NORMAL_QUANTILES
from models.funding.features import INDEX
from models.funding.inputs import HOUR_NS
from models.funding.table import FeatureTable, build_table
from models.funding.walk_forward import (
    DAY_NS,
    WalkForwardParams,
    final_shapes,
    folds,
    walk_forward,
)
from tests.funding.make_inputs import make_inputs


@pytest.mark.parametrize(
    "params",
    [
        WalkForwardParams(),
        WalkForwardParams(fold_days=3, purge_h=8.0, max_train_days=20),
        WalkForwardParams(fold_days=30, purge_h=24.0),
    ],
    ids=["default", "short", "long"],
)
def test_no_training_label_is_later_than_the_fold_start(
    table: FeatureTable, params: WalkForwardParams
) -> None:
    _check_purging(table, params)


def test_hourly_settlements_known_before_the_fold_but_paid_in_it_are_not_trained_on() -> None:
    # Ninety minutes before an hourly settlement can lie on the other side of midnight, where folds start.
    hourly = build_table([make_inputs(seed=3, schedule=((16.0, 1),))])
    params = WalkForwardParams(fold_days=1)
    straddling = 0
    for start, train, _ in folds(hourly, params):
        straddling += int(((hourly.made_at_ns <= start) & (hourly.settlement_ns > start)).sum())
        assert (hourly.settlement_ns[train] <= start).all()
    assert straddling > 10
    _check_purging(hourly, params)


def _check_purging(table: FeatureTable, params: WalkForwardParams) -> None:
    tested = []
    for start, train, test in folds(table, params):
        assert start % (params.fold_days * DAY_NS) == 0
        if len(train):
            assert table.settlement_ns[train].max() <= start - params.purge_h * HOUR_NS
            assert table.made_at_ns[train].min() >= start - params.max_train_days * DAY_NS
        assert table.made_at_ns[test].min() >= start
        assert table.made_at_ns[test].max() < start + params.fold_days * DAY_NS
        assert not np.intersect1d(train, test).size
        tested.append(test)
    assert np.array_equal(np.sort(np.concatenate(tested)), np.arange(len(table)))


def test_folds_do_not_move_with_the_end_or_the_start_of_the_data(table: FeatureTable) -> None:
    starts = [start for start, _, _ in folds(table, WalkForwardParams())]
    middle = table.take(slice(len(table) // 5, len(table) // 2))  # type: ignore[arg-type]
    fewer = [start for start, _, _ in folds(middle, WalkForwardParams())]
    assert fewer
    assert set(fewer) < set(starts)


def test_a_poisoned_label_after_the_fold_start_never_reaches_the_fold(table: FeatureTable) -> None:
    splits = list(folds(table, WalkForwardParams()))
    start, train, test = splits[7]
    assert len(train)
    poisoned = table.take(np.arange(len(table)))
    poisoned.realised[table.settlement_ns > start] = 1.0
    clean, dirty = (walk_forward(t, candidates=("ridge",))["ridge"] for t in (table, poisoned))
    here = np.isin(clean.rows, test)
    assert here.any()
    assert np.array_equal(clean.predicted[here], dirty.predicted[here])
    later = np.isin(clean.rows, splits[-1][2])
    assert not np.array_equal(clean.predicted[later], dirty.predicted[later])


def test_learned_candidates_wait_for_their_training_days(table: FeatureTable) -> None:
    done: list[tuple[int, int]] = []
    many = walk_forward(
        table,
        WalkForwardParams(min_train_days=40),
        candidates=("last_rate", "ridge"),
        on_fold=lambda i, n: done.append((i, n)),
    )
    assert len(many["last_rate"].rows) == len(table)
    first = table.made_at_ns[many["ridge"].rows[0]]
    assert first - table.made_at_ns[0] >= 40 * DAY_NS
    assert done[-1][0] == done[-1][1] == len(done)


def test_quantiles_are_ordered_within_caps_and_start_normal(table: FeatureTable) -> None:
    predictions = walk_forward(table, candidates=("structural_offset",))["structural_offset"]
    assert (predictions.q05 <= predictions.q50).all()
    assert (predictions.q50 <= predictions.q95).all()
    assert (predictions.q95 <= table.cap_upper[predictions.rows]).all()
    assert (predictions.q05 >= table.cap_lower[predictions.rows]).all()
    # The first fold has no errors to learn from: the standard normal stands in.
    scale = table.features[0, INDEX["latent_sd"]]
    assert predictions.q05[0] == pytest.approx(
        predictions.predicted[0] + scale * NORMAL_QUANTILES[4], rel=1e-12
    )
    inside = (table.realised >= predictions.q05 - 1e-12) & (table.realised <= predictions.q95 + 1e-12)
    assert 0.8 < inside[len(inside) // 3 :].mean() < 0.98


def test_pinball_is_that_of_the_99_quantiles(table: FeatureTable) -> None:
    predictions = walk_forward(table, candidates=("structural",))["structural"]
    scale = table.features[0, INDEX["latent_sd"]]
    quantiles = np.clip(
        predictions.predicted[0] + scale * NORMAL_QUANTILES, table.cap_lower[0], table.cap_upper[0]
    )
    gap = table.realised[0] - quantiles
    expected = np.where(gap >= 0, LEVELS * gap, (LEVELS - 1) * gap).mean()
    assert predictions.pinball[0] == pytest.approx(expected, rel=1e-12)


def test_final_shapes_hold_every_horizon(table: FeatureTable) -> None:
    predictions = walk_forward(table, candidates=("structural_offset",))["structural_offset"]
    shapes = final_shapes(table, predictions)
    assert sorted(shapes) == [30, 60, 90]
    for shape in shapes.values():
        assert shape.shape == LEVELS.shape
        assert (np.diff(shape) >= 0).all()
    assert not np.array_equal(shapes[30], shapes[90])


def test_an_empty_table_gives_no_predictions(table: FeatureTable) -> None:
    assert len(walk_forward(table.take(np.arange(0)), candidates=("last_rate", "ridge"))["ridge"].rows) == 0
