"""Bundles of every candidate: written, read, verified, refused when damaged; and the decision of promotion."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.cascade.candidates import CANDIDATES
from models.cascade.labels import LabelParams
from models.cascade.predictor import CascadePredictor, check_golden_rows, golden_rows
from models.cascade.promotion import decide_paired
from models.cascade.training import TrainingParams, fit
from models.errors import BundleError
from tests.cascade.markets import table_of

PARAMS = TrainingParams(trees=10, rounds=10)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_predictor_comes_back_as_it_went(name: str) -> None:
    table = table_of(2.0, 11, 72.0)
    made = CascadePredictor(fit(name, table, PARAMS), LabelParams())
    golden = golden_rows(made, table.features)
    assert 2 <= len(golden) <= 50
    golden = json.loads(json.dumps(golden, allow_nan=False))
    read = CascadePredictor.from_files(made.to_files())
    check_golden_rows(read, golden)
    said = read.probabilities(table.features)
    assert np.array_equal(said, made.probabilities(table.features))
    assert ((said > 0.0) & (said < 1.0)).all()
    assert read.labels == made.labels
    golden[0]["expected"]["probability"] += 1e-9
    with pytest.raises(BundleError, match="golden row 0"):
        check_golden_rows(read, golden)


def test_damaged_files_are_refused() -> None:
    table = table_of(2.0, 11, 72.0)
    files = CascadePredictor(fit("lightgbm", table, PARAMS), LabelParams()).to_files()
    body = json.loads(files["candidate.json"])
    damaged: list[tuple[dict[str, bytes], str]] = [
        ({k: v for k, v in files.items() if k != "labels.json"}, "labels"),
        ({k: v for k, v in files.items() if k != "model.txt"}, "model.txt"),
        ({**files, "model.txt": files["model.txt"] + b"x"}, "SHA-256"),
        ({**files, "labels.json": b'{"horizon_s": -1, "gap_s": 15, "least_orders": 10}'}, "out of range"),
        ({**files, "candidate.json": json.dumps({**body, "features": ["x"]}).encode()}, "other features"),
        ({**files, "candidate.json": json.dumps({**body, "base_rate": 2.0}).encode()}, "out of range"),
        ({**files, "candidate.json": json.dumps({**body, "name": "logistic"}).encode()}, "regression"),
        ({**files, "candidate.json": b"{"}, "unreadable"),
    ]
    for broken, words in damaged:
        with pytest.raises(BundleError, match=words):
            CascadePredictor.from_files(broken)
    with pytest.raises(BundleError, match="no golden rows"):
        check_golden_rows(CascadePredictor.from_files(files), [])
    with pytest.raises(BundleError, match="columns"):
        CascadePredictor.from_files(files).probabilities(np.zeros((1, 3)))


def paired(gap: float, n: int = 400, *, same: bool = False, expired: bool = False) -> tuple[bool, str]:
    generator = np.random.default_rng(3)
    champion = generator.random(n)
    times = np.arange(n, dtype=np.int64) * 600_000_000_000
    challenger = champion - gap + 0.1 * generator.standard_normal(n)
    found = decide_paired(
        challenger, champion, times, 300_000_000_000, level=0.05, same=same, expired=expired
    )
    return found.promote, found.reason


def test_promotion() -> None:
    assert paired(0.1)[0]
    assert "forecasts better" in paired(0.1)[1]
    assert not paired(0.0)[0]
    assert not paired(-0.1)[0]
    assert not paired(-0.1, expired=True)[0]
    assert paired(0.0, expired=True)[0]
    assert paired(0.0, same=True)[0]
    assert "renewal" in paired(0.0, same=True)[1]
    assert not paired(0.1, n=20)[0]
    assert paired(0.1, n=20, expired=True)[0]
