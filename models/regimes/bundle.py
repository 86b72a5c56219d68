"""M4 as a bundle: one fitted model a symbol, and the parameters of the market record they go into.

Here belongs what a bundle of kind ``regime_hmm`` holds, written by training and read by the executor. Filtered probabilities
come out of the market record (`hmm_turbulent`); nothing here smooths.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from models.errors import BundleError
from models.regimes.hmm import MOST_STATES, GaussianHmm, forward

KIND: Final = "regime_hmm"
FILE: Final = "hmm.json"
BAR_S: Final = 60
GOLDEN_TOLERANCE: Final = 1e-12
_VERSION: Final = 1
_GOLDEN_RETURNS: Final = 30

HMM_SPEC_HASH: Final[str] = hashlib.sha256(
    json.dumps(
        {"version": _VERSION, "bar_s": BAR_S, "series": "log return in bps", "order": "variance"}
    ).encode()
).hexdigest()


@dataclass(frozen=True)
class RegimeModels:
    """Fitted models by symbol; a symbol without one has no filtered probability."""

    models: dict[str, GaussianHmm]

    def to_files(self) -> dict[str, bytes]:
        """Return the models as bundle files, without the manifest."""
        body = {
            symbol: {name: getattr(model, name).tolist() for name in model._fields}
            for symbol, model in sorted(self.models.items())
        }
        return {FILE: json.dumps({"bar_s": BAR_S, "symbols": body}, indent=1).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> RegimeModels:
        """Read models from bundle files.

        Raises
        ------
        BundleError
            If the file is missing or unreadable, or a model's numbers are not those of one.

        """
        try:
            body = json.loads(files[FILE])
            if body["bar_s"] != BAR_S:
                raise BundleError(
                    f"{FILE}: bars should last {BAR_S} s, were {body['bar_s']} s", remedy="retrain"
                )
            models = {
                str(symbol): GaussianHmm(
                    *(np.array(part[name], dtype=np.float64) for name in GaussianHmm._fields)
                )
                for symbol, part in body["symbols"].items()
            }
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise BundleError(f"{FILE} is missing or unreadable: {error}", remedy="retrain") from error
        for symbol, model in models.items():
            if not _is_sound(model):
                raise BundleError(
                    f"{FILE}: the model of {symbol} should hold probabilities and ascending variances, held something else",
                    remedy="retrain",
                )
        return cls(models)


def _is_sound(model: GaussianHmm) -> bool:
    k = len(model.start) if model.start.ndim == 1 else 0
    if not 1 <= k <= MOST_STATES or model.transition.shape != (k, k):
        return False
    if model.means.shape != (k,) or model.variances.shape != (k,) or not np.isfinite(model.means).all():
        return False
    rows = np.vstack([model.start, model.transition])
    sums = bool((rows >= 0.0).all() and np.allclose(rows.sum(axis=1), 1.0, rtol=0.0, atol=1e-6))
    ordered = bool((np.diff(model.variances) >= 0.0).all())
    return sums and ordered and bool((model.variances > 0.0).all() and np.isfinite(model.variances).all())


def golden_rows(models: RegimeModels, returns_bps: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the last returns of each symbol with the filtered probabilities after them, for a loader to reproduce."""
    rows = []
    for symbol, model in sorted(models.models.items()):
        last = np.ascontiguousarray(returns_bps[symbol][-_GOLDEN_RETURNS:], dtype=np.float64)
        rows.append(
            {
                "features": {"symbol": symbol, "returns_bps": last.tolist()},
                "expected": {"probabilities": forward(last, *model)[0][-1].tolist()},
            }
        )
    return rows


def check_golden_rows(models: RegimeModels, golden: list[dict[str, Any]]) -> None:
    """Verify that loaded models filter as they did when they were fitted.

    Raises
    ------
    BundleError
        If there are no rows, they are unreadable, or one differs by more than `GOLDEN_TOLERANCE`.

    """
    if not golden:
        raise BundleError("bundle holds no golden rows", remedy="retrain")
    for row in golden:
        try:
            symbol = str(row["features"]["symbol"])
            x = np.array(row["features"]["returns_bps"], dtype=np.float64)
            expected = np.array(row["expected"]["probabilities"], dtype=np.float64)
            model = models.models[symbol]
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(f"golden rows are unreadable: {error}", remedy="retrain") from error
        actual = forward(x, *model)[0][-1]
        if actual.shape != expected.shape or not np.allclose(
            actual, expected, rtol=0.0, atol=GOLDEN_TOLERANCE
        ):
            raise BundleError(
                f"golden row of {symbol}: probabilities should be {expected.tolist()}, were {actual.tolist()}",
                remedy="use the library versions of the lock file, or retrain",
            )
