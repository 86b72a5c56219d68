"""Wins and losses of the matrix, shrunk for Kelly's fraction, and the versions of its file."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BundleError
from models.portfolio.regime_matrix import build_matrix, from_files, to_files
from tests.portfolio.test_regime_matrix import _one, _trades


def test_one_regime_has_its_own_wins_and_losses() -> None:
    cell = _one(_trades([10.0] * 6 + [20.0] * 2 + [-4.0] * 2))
    assert cell.win_rate_shrunk == pytest.approx(9 / 12)  # mean of Beta(9, 3)
    assert (cell.mean_win_shrunk_usd, cell.mean_loss_shrunk_usd) == (pytest.approx(12.5), pytest.approx(4.0))


def test_what_has_not_happened_yet_is_not_nothing() -> None:
    never_lost = _one(_trades([3.0, 4.0]))
    assert never_lost.mean_loss_usd == 0.0
    assert never_lost.mean_loss_shrunk_usd == pytest.approx(math.sqrt((9.0 + 16.0) / 2.0))
    never_won = _one(_trades([-3.0, -4.0]))
    assert (never_won.mean_win_shrunk_usd, never_won.mean_loss_shrunk_usd) == (0.0, pytest.approx(3.5))
    assert (never_won.win_rate_shrunk, never_lost.win_rate_shrunk) == (
        pytest.approx(0.25),
        pytest.approx(0.75),
    )


def test_like_regimes_share_wins_and_losses_and_unlike_ones_keep_their_own() -> None:
    alike = build_matrix(_trades([2.0, -1.0] * 10, "RANGE") + _trades([2.0, -1.0] * 20, "UNKNOWN"))
    assert [cell.win_rate_shrunk for cell in alike] == [pytest.approx(0.5)] * 2
    assert [cell.mean_win_shrunk_usd for cell in alike] == [pytest.approx(2.0)] * 2
    good, bad = [9.0, 11.0] * 23 + [-1.0] * 4, [-9.0, -11.0] * 23 + [1.0] * 4
    first, second = build_matrix(_trades(good, "GOOD") + _trades(bad, "BAD"))[::-1]
    assert first.regime == "GOOD"
    assert first.win_rate_shrunk > 0.88
    assert second.win_rate_shrunk < 0.12
    # Ten times the size, and not much noise about it: hardly moved.
    assert first.mean_win_shrunk_usd > 8.0
    assert second.mean_loss_shrunk_usd > 8.0


def test_shrunk_shares_are_those_of_the_formula() -> None:
    """DerSimonian and Laird on the means and variances of the Beta posteriors, written out."""
    wins, counts = np.array([20.0, 5.0]), np.array([25.0, 25.0])
    cells = build_matrix(
        [
            t
            for r, w in zip("AB", wins, strict=True)
            for t in _trades([1.0] * int(w) + [-1.0] * int(25 - w), r)
        ]
    )
    a, b = 1.0 + wins, 1.0 + counts - wins
    m, v = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1.0))
    q = float(((m - np.average(m, weights=1 / v)) ** 2 / v).sum())
    tau = max((q - 1.0) / float((1 / v).sum() - (1 / v**2).sum() / (1 / v).sum()), 0.0)
    centre = np.average(m, weights=1 / (tau + v))
    expected = tau / (tau + v) * m + v / (tau + v) * centre
    assert [cell.win_rate_shrunk for cell in cells] == pytest.approx(expected.tolist())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.floats(-100, 100), min_size=1, max_size=12), min_size=1, max_size=5))
def test_wins_and_losses_lie_between_the_cells(many: list[list[float]]) -> None:
    cells = build_matrix([t for i, profits in enumerate(many) for t in _trades(profits, f"R{i}")])
    rates = [(1 + cell.win_rate * cell.n) / (2 + cell.n) for cell in cells]
    won = [cell.mean_win_usd for cell in cells if cell.win_rate > 0] or [0.0]
    for cell in cells:
        assert min(rates) - 1e-9 <= cell.win_rate_shrunk <= max(rates) + 1e-9
        assert min(won) - 1e-9 <= cell.mean_win_shrunk_usd <= max(won) + 1e-9
        assert cell.mean_loss_shrunk_usd >= 0.0


def test_a_matrix_of_version_1_has_no_shrunk_wins() -> None:
    files = to_files(build_matrix(_trades([1.0, -2.0])))
    body = json.loads(files["matrix.json"])
    assert body["version"] == 2
    old = [
        {k: v for k, v in cell.items() if not k.endswith(("_shrunk", "_shrunk_usd")) or k == "ev_shrunk_usd"}
        for cell in body["cells"]
    ]
    (cell,) = from_files({"matrix.json": json.dumps({"cells": old}).encode()}).values()
    assert (cell.n, cell.ev_usd) == (2, -0.5)
    assert math.isnan(cell.win_rate_shrunk)


@pytest.mark.parametrize("version", [0, 3, "2", None])
def test_a_matrix_of_another_version_is_refused(version: object) -> None:
    with pytest.raises(BundleError, match=r"version of matrix\.json should be 1 to 2"):
        from_files({"matrix.json": json.dumps({"version": version, "cells": []}).encode()})
