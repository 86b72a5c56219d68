"""M2 in the executor: from a bundle to the probability that a cascade begins, read from a market record.

Here belong loading and the call. Pure after loading: no clock, no I/O; the market's own time decides whether the bundle is
still good. Which bundle is in use is `model_store`'s business, what follows from the probability a strategy's.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Manifest, verify_bundle
from models.cascade.features import CASCADE_SPEC_HASH
from models.cascade.observe import WIDTH, row_of
from models.cascade.predictor import KIND, CascadePredictor, check_golden_rows
from models.errors import BundleError


class CascadeForecaster:
    """Says the probability of a cascade for each symbol.

    Parameters
    ----------
    version : str
        Of the bundle.
    manifest : Manifest
    predictor : CascadePredictor or None
        None where the bundle was made for other features: then nothing is said.

    """

    def __init__(self, version: str, manifest: Manifest, predictor: CascadePredictor | None) -> None:
        self.version = version
        self.manifest = manifest
        self.predictor = predictor
        self._row = np.full((1, WIDTH), math.nan)

    @property
    def horizon_s(self) -> float:
        """How far ahead the probability looks; NaN without a predictor."""
        return self.predictor.labels.horizon_s if self.predictor is not None else math.nan

    @property
    def trained_on(self) -> str:
        """``recorded`` or ``synthetic``, as the bundle says; empty where it does not."""
        told = self.manifest.evidence.get("M2")
        return str(told.get("market", "")) if isinstance(told, dict) else ""

    @property
    def features_hash(self) -> str:
        """SHA-256 of the row the last probability rests on, first 16 digits: what was said can be told apart and made again."""
        return hashlib.sha256(self._row.tobytes()).hexdigest()[:16]

    def refusal(self, now_ns: int) -> str:
        """Return why nothing is said at a time of the market; empty where it is."""
        if self.predictor is None:
            made = self.manifest.feature_spec_hash
            return f"cascade feature spec should be {CASCADE_SPEC_HASH[:12]}…, was {made[:12]}…"
        if now_ns >= self.manifest.expires_at_ns:
            return "the cascade bundle has expired"
        return ""

    def probability(self, symbols: NDArray[np.void], symbol: int) -> float:
        """Return P(a cascade begins within the horizon), as of the symbol's last tick.

        Parameters
        ----------
        symbols : array of SYMBOL
            From `models.market.record.new_symbols`; only read.
        symbol : int
            Its place.

        Returns
        -------
        float
            NaN before the first tick, without a predictor made for these features, and from the expiry on.

        """
        market: Any = symbols["market"]
        at_ns = int(market["tick_at_ns"][symbol])
        if at_ns == 0 or self.predictor is None or at_ns >= self.manifest.expires_at_ns:
            return math.nan
        row_of(symbols, symbol, self._row[0])
        return float(self.predictor.probabilities(self._row)[0])


def load_cascade(version: str, contents: Mapping[str, bytes]) -> CascadeForecaster:
    """Verify a cascade bundle and make its forecaster.

    Raises
    ------
    BundleError
        If it is corrupt, of another kind, or does not reproduce its golden rows.

    """
    manifest = verify_bundle(contents)
    if manifest.kind != KIND:
        raise BundleError(f"bundle kind should be {KIND}, was {manifest.kind}")
    if manifest.feature_spec_hash != CASCADE_SPEC_HASH:
        return CascadeForecaster(version, manifest, None)
    predictor = CascadePredictor.from_files(contents)
    check_golden_rows(predictor, manifest.golden)
    return CascadeForecaster(version, manifest, predictor)
