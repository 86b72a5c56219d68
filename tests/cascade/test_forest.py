"""The exported forest is scikit-learn's, bit for bit; what is no forest is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.cascade.features import FEATURE_NAMES
from models.cascade.forest import Forest
from models.cascade.training import TrainingParams, export_forest, forest_classifier
from models.errors import BundleError

WIDTH = len(FEATURE_NAMES)


def samples(n: int, missing: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, WIDTH)) * 10.0 ** generator.integers(-6, 7, WIDTH)
    label = (x[:, 4] / np.abs(x[:, 4]).mean() + generator.standard_normal(n) > 1.0).astype(float)
    x[generator.random((n, WIDTH)) < missing] = np.nan
    return x, label


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_kernel_says_exactly_what_scikit_learn_says(missing: float, seed: int) -> None:
    x, label = samples(1500, missing, seed)
    params = TrainingParams(trees=25, tree_leaves=32, tree_min_rows=5, seed=seed)
    classifier = forest_classifier(params).fit(x, label > 0.5)
    forest = Forest.from_bytes(export_forest(classifier).to_bytes(), WIDTH)
    asked, _ = samples(800, 0.3 if missing else 0.0, seed + 100)
    assert np.array_equal(forest.predict(asked), classifier.predict_proba(asked)[:, 1])
    one_by_one = [forest.predict(asked[i : i + 1])[0] for i in range(20)]
    assert np.array_equal(one_by_one, forest.predict(asked)[:20])


def test_a_forest_that_would_lead_outside_is_refused() -> None:
    x, label = samples(300, 0.0, 1)
    good = export_forest(forest_classifier(TrainingParams(trees=2, tree_min_rows=20)).fit(x, label > 0.5))
    body = json.loads(good.to_bytes())
    inner = next(i for i, child in enumerate(body["left"]) if child >= 0)
    changes = {
        "left": (inner, 10_000),
        "right": (inner, inner),
        "feature": (inner, WIDTH),
        "share": (0, 1.5),
        "roots": (0, -1),
    }
    for name, (place, value) in changes.items():
        broken = {key: list(numbers) for key, numbers in body.items()}
        broken[name][place] = value
        with pytest.raises(BundleError, match=r"forest\.json"):
            Forest.from_bytes(json.dumps(broken).encode(), WIDTH)
    for data in (b"", b"{}", b"[]", json.dumps({**body, "share": ["x"]}).encode()):
        with pytest.raises(BundleError, match="unreadable"):
            Forest.from_bytes(data, WIDTH)
