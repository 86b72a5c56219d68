"""Purged splits against skfolio's index lists, and the promise that no label leaks."""

from __future__ import annotations

import itertools
import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.evidence.cross_validation import number_of_paths, purged_splits, recombine
from tests.support import shared_path


def _rows(n: int, purge: int) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced samples whose labels last `purge` rows."""
    start = np.arange(n, dtype=np.int64) * 10
    return start, start + 10 * purge


def test_the_example_of_the_text() -> None:
    purged = purged_splits(*_rows(12, 1), folds=3, test_folds=2)
    assert [s.train.tolist() for s in purged] == [[9, 10, 11], [5, 6], [0, 1, 2]]
    embargoed = purged_splits(*_rows(12, 0), folds=3, test_folds=2, embargo_ns=10)
    assert [s.train.tolist() for s in embargoed] == [[9, 10, 11], [5, 6, 7], [0, 1, 2, 3]]


def test_every_index_list_of_skfolio() -> None:
    data = json.loads(shared_path("reference_vectors/cpcv_skfolio.json").read_text())
    for case in data["examples"]:
        found = purged_splits(
            *_rows(case["n"], case["purged_size"]),
            folds=case["n_folds"],
            test_folds=case["n_test_folds"],
            embargo_ns=10 * case["embargo_size"],
        )
        assert len(found) == len(case["splits"])
        for own, theirs, paths in zip(found, case["splits"], case["path_ids"], strict=True):
            assert own.train.tolist() == theirs["train"]
            assert [rows.tolist() for rows in own.tests] == theirs["tests"]
            assert list(own.paths) == paths
    for case in data["counts"]:
        folds, tested = case["n_folds"], case["n_test_folds"]
        splits = purged_splits(*_rows(100, 0), folds=folds, test_folds=tested)
        assert len(splits) == case["n_splits"] == math.comb(folds, tested)
        assert number_of_paths(folds, tested) == case["n_test_paths"]
        assert 1 + max(path for s in splits for path in s.paths) == case["n_test_paths"]


def test_the_same_as_skfolio_on_many_set_ups() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        selection = pytest.importorskip("skfolio.model_selection", reason="skfolio is not installed")
    compared = 0
    for n, folds, tested, purge, embargo in itertools.product((40, 67), (4, 6), (2, 3), (0, 1, 3), (0, 2)):
        if purge + embargo >= n // folds - 1:
            continue
        theirs = selection.CombinatorialPurgedCV(
            n_folds=folds, n_test_folds=tested, purged_size=purge, embargo_size=embargo
        )
        expected = list(theirs.split(np.zeros((n, 1))))
        if not all(len(train) for train, _ in expected):
            with pytest.raises(DataError, match="nothing to train on"):
                purged_splits(*_rows(n, purge), folds, tested, 10 * embargo)
            continue
        own = purged_splits(*_rows(n, purge), folds=folds, test_folds=tested, embargo_ns=10 * embargo)
        for split, (train, tests) in zip(own, expected, strict=True):
            assert split.train.tolist() == train.tolist()
            assert [rows.tolist() for rows in split.tests] == [rows.tolist() for rows in tests]
            compared += 1
    assert compared > 200


@given(
    gaps=st.lists(st.integers(0, 20), min_size=30, max_size=60),
    lengths=st.lists(st.integers(0, 40), min_size=60, max_size=60),
    embargo=st.integers(0, 20),
    tested=st.integers(1, 2),
)
@settings(max_examples=60, deadline=None)
def test_no_label_leaks(gaps: list[int], lengths: list[int], embargo: int, tested: int) -> None:
    start = np.cumsum(gaps).astype(np.int64)
    end = start + np.array(lengths[: len(start)], dtype=np.int64)
    try:
        splits = purged_splits(start, end, folds=5, test_folds=tested, embargo_ns=embargo)
    except DataError:
        splits = []  # nothing was left to train on
    for split in splits:
        for rows in split.tests:
            trained_start, trained_end = start[split.train][:, None], end[split.train][:, None]
            touches = (trained_start <= end[rows]) & (trained_end >= start[rows])
            assert not touches.any()
            last = end[rows].max()
            assert not ((start[split.train] > last) & (start[split.train] <= last + embargo)).any()
    tests = np.concatenate([rows for split in splits for rows in split.tests] or [np.array([], np.int64)])
    assert not splits or (np.bincount(tests, minlength=len(start)) == number_of_paths(5, tested)).all()


def test_only_what_touches_is_left_out() -> None:
    start, end = np.arange(0, 100, 10), np.arange(0, 100, 10) + 5
    assert purged_splits(start, end, folds=5)[1].train.tolist() == [0, 1, 4, 5, 6, 7, 8, 9]
    end[0] = 45  # one long label reaches into the next two folds, in either role
    trained = [split.train.tolist() for split in purged_splits(start, end, folds=5)]
    assert trained[0] == [5, 6, 7, 8, 9]
    assert trained[1] == [1, 4, 5, 6, 7, 8, 9]
    assert trained[2] == [1, 2, 3, 6, 7, 8, 9]
    assert trained[3] == [0, 1, 2, 3, 4, 5, 8, 9]


def test_samples_of_one_instant_are_never_on_both_sides() -> None:
    start = np.repeat(np.arange(10) * 10, 3)
    for split in purged_splits(start, start + 1, folds=7):
        assert not set(start[split.train]) & set(start[split.tests[0]])


def test_paths_are_whole_histories() -> None:
    splits = purged_splits(*_rows(26, 1), folds=6, test_folds=2)
    whole = recombine(splits, [[rows.astype(float) for rows in split.tests] for split in splits])
    assert whole.shape == (5, 26)
    assert (whole == np.arange(26)).all()


def test_a_leak_is_what_purging_removes() -> None:
    """A nearest-neighbour model on overlapping labels of a random walk looks skilled unless it is purged."""
    rng = np.random.default_rng(5)
    skill: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(20):
        walk = np.cumsum(rng.normal(size=420))
        label = walk[20:] - walk[:-20]
        start = np.arange(400, dtype=np.int64)
        for purged in (True, False):
            guess = np.empty(400)
            for split in purged_splits(start, start + (20 if purged else 0), folds=20):
                for row in split.tests[0]:
                    guess[row] = label[split.train[np.abs(split.train - row).argmin()]]
            skill[purged].append(float(np.corrcoef(guess, label)[0, 1]))
    assert np.mean(skill[False]) > 0.3
    assert np.mean(skill[True]) < 0.1


@pytest.mark.parametrize(
    ("start", "end", "kwargs", "message"),
    [
        ([0, 2, 1], [3, 3, 3], {"folds": 2}, "in order"),
        ([0, 1, 2], [3, 0, 3], {"folds": 2}, "at or after"),
        ([0, 1, 2], [3, 3], {"folds": 2}, "one start and one end"),
        ([0, 1, 2], [0, 1, 2], {"folds": 4}, "1 ≤ test folds < folds ≤ samples"),
        ([0, 1, 2], [0, 1, 2], {"folds": 2, "test_folds": 2}, "1 ≤ test folds"),
        ([0, 1, 2], [9, 9, 9], {"folds": 3}, "nothing to train on"),
        ([0, 1, 2], [0, 1, 2], {"folds": 3, "embargo_ns": -1}, "embargo"),
    ],
)
def test_what_is_refused(start: list[int], end: list[int], kwargs: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        purged_splits(np.array(start), np.array(end), **kwargs)
