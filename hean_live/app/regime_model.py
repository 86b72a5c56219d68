"""M4 in the executor: from a bundle to the parameters the market record filters with.

Here belong loading and putting a model into parameters. The filter is the market record's (`models.market.tick_bars`): filtered
probabilities only. Which bundle is in use is `model_store`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Manifest, verify_bundle
from models.errors import BundleError
from models.market.feature_params import FeatureParams, params_record
from models.market.symbol_params import params_of_symbol
from models.regimes.bundle import BAR_S, HMM_SPEC_HASH, KIND, RegimeModels, check_golden_rows
from models.regimes.hmm import GaussianHmm

_FIELDS = ("hmm_states", "hmm_start", "hmm_transition", "hmm_means", "hmm_variances")


@dataclass(frozen=True)
class LoadedRegimes:
    """A regime bundle that passed every check; `models` is None if it was made for other bars."""

    version: str
    manifest: Manifest
    models: RegimeModels | None

    def model_of(self, symbol: str, now_ns: int) -> GaussianHmm | None:
        """Return a symbol's model, None where there is none or the bundle has expired at a time of the market."""
        if self.models is None or now_ns >= self.manifest.expires_at_ns:
            return None
        return self.models.models.get(symbol)


def load_regimes(version: str, contents: Mapping[str, bytes]) -> LoadedRegimes:
    """Verify a regime bundle and read its models.

    Raises
    ------
    BundleError
        If it is corrupt, of another kind, or does not reproduce its golden rows.

    """
    manifest = verify_bundle(contents)
    if manifest.kind != KIND:
        raise BundleError(f"bundle kind should be {KIND}, was {manifest.kind}")
    if manifest.feature_spec_hash != HMM_SPEC_HASH:
        return LoadedRegimes(version, manifest, None)
    models = RegimeModels.from_files(contents)
    check_golden_rows(models, manifest.golden)
    return LoadedRegimes(version, manifest, models)


def params_of(
    loaded: LoadedRegimes | None,
    symbols: Sequence[str],
    now_ns: int,
    params: FeatureParams | None = None,
    testnet: bool = False,
) -> list[np.record]:
    """Return each symbol's own parameters of the market record, with its regime model where there is one.

    Parameters
    ----------
    loaded : LoadedRegimes or None
    symbols : sequence of str
    now_ns : int
        Market time.
    params : FeatureParams, optional
        What symbols share.
    testnet : bool
        Whether the market is Bybit's testnet.

    """
    chosen = params or FeatureParams()
    _check_bar(chosen.bar_ns)
    return [
        params_record(
            params_of_symbol(symbol, testnet, chosen),
            loaded.model_of(symbol, now_ns) if loaded is not None else None,
        )
        for symbol in symbols
    ]


def install(loaded: LoadedRegimes, names: Sequence[str], state: NDArray[np.void], now_ns: int) -> None:
    """Put another bundle's models into market records that are running.

    The filter's memory is of the old model's states, so it begins anew at the next bar; nothing else changes.

    Parameters
    ----------
    loaded : LoadedRegimes
    names : sequence of str
    state : array of SYMBOL, shape (symbols,)
        In the order of `names`; parameters and filter are changed in place.
    now_ns : int
        Market time.

    """
    own: Any = state
    for i, name in enumerate(names):
        _check_bar(int(own["params"]["bar_ns"][i]))
        fresh: Any = params_record(FeatureParams(), loaded.model_of(name, now_ns))
        for field in _FIELDS:
            own["params"][field][i] = fresh[field]
        own["market"]["internal"]["hmm"][i] = 0.0
        own["market"]["hmm_turbulent"][i] = np.nan


class RegimeFollower:
    """Keeps running market records on the models in use: another version is put in once, an expired one taken out.

    To be called in the thread that drives the records.

    Parameters
    ----------
    names : sequence of str
    state : array of SYMBOL, shape (symbols,)
        In the order of `names`.

    """

    def __init__(self, names: Sequence[str], state: NDArray[np.void]) -> None:
        self._names = tuple(names)
        self._state = state
        self._used = ""

    def follow(self, loaded: LoadedRegimes | None, now_ns: int) -> bool:
        """Put the models of a bundle in if they are not yet; returns whether anything changed.

        Parameters
        ----------
        loaded : LoadedRegimes or None
            In use now; None before the first.
        now_ns : int
            Market time.

        """
        if loaded is None:
            return False
        is_good = loaded.models is not None and now_ns < loaded.manifest.expires_at_ns
        wanted = loaded.version if is_good else ""
        if wanted == self._used:
            return False
        install(loaded, self._names, self._state, now_ns)
        self._used = wanted
        return True


def _check_bar(bar_ns: int) -> None:
    if bar_ns != BAR_S * 1_000_000_000:
        raise BundleError(
            f"bars of the market record should last {BAR_S} s for the regime model, last {bar_ns / 1e9:g} s",
            remedy="leave bar_ns at its default, or fit the model on such bars",
        )
