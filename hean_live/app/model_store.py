"""Models in use: verified when loaded, swapped between polls, the last good one kept whatever arrives.

Up to six bundles: the funding predictor, the regime matrix, the policy, the cascade predictor, the regime model and the crowd's
mood; all but the first may be absent. A corrupt one is refused with an event; a funding predictor made for other features, or
expired, takes the executor to reduce-only, said once at each change.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hean_live.app.mood import SENTIMENT_KIND, load_mood
from hean_live.app.policy import POLICY_KIND, load_policy
from hean_live.app.snapshot import MatrixCell, ModelView
from hean_live.bundle.cache import BundleCache, Pointer
from hean_live.bundle.fetch import ABSENT, FETCHED, REFUSED, UNCHANGED, UNREACHABLE
from hean_live.bundle.watcher import FetchResult
from models.bundle import Manifest, verify_bundle
from models.errors import BundleError
from models.funding.features import FEATURE_SPEC_HASH
from models.funding.predictor import FundingPredictor, check_golden_rows
from models.market.mood import Mood
from models.portfolio.policy import Policy
from models.portfolio.regime_matrix import check_version

if TYPE_CHECKING:
    from hean_live.app.cascade_forecaster import CascadeForecaster
    from hean_live.app.regime_model import LoadedRegimes

log = logging.getLogger(__name__)

FUNDING_KIND = "funding_predictor"
MATRIX_KIND = "regime_matrix"
CASCADE_KIND = "cascade_predictor"
REGIME_HMM_KIND = "regime_hmm"
MATRIX_FILE = "matrix.json"
EVIDENCE_STUDY = "E1"

Note = Callable[[str, Mapping[str, object]], None]
Matrix = dict[tuple[str, str], MatrixCell]


@dataclass(frozen=True)
class LoadedModel:
    """A funding bundle that passed every check; `predictor` is None if it was made for other features."""

    version: str
    manifest: Manifest
    predictor: FundingPredictor | None


def load_funding(version: str, contents: Mapping[str, bytes]) -> LoadedModel:
    """Verify a funding bundle and make its predictor.

    Raises
    ------
    BundleError
        If it is corrupt, of another kind, or does not reproduce its golden rows.

    """
    manifest = verify_bundle(contents)
    if manifest.kind != FUNDING_KIND:
        raise BundleError(f"bundle kind should be {FUNDING_KIND}, was {manifest.kind}")
    if manifest.feature_spec_hash != FEATURE_SPEC_HASH:
        return LoadedModel(version, manifest, None)
    predictor = FundingPredictor.from_files(contents)
    check_golden_rows(predictor, manifest.golden)
    return LoadedModel(version, manifest, predictor)


def load_matrix(contents: Mapping[str, bytes]) -> Matrix:
    """Verify a regime-matrix bundle and read its cells by (strategy, regime).

    Raises
    ------
    BundleError
        If it is corrupt, of another kind or a newer version, or a cell lacks a number. One of version 1 says nothing of wins
        and losses.

    """
    manifest = verify_bundle(contents)
    if manifest.kind != MATRIX_KIND:
        raise BundleError(f"bundle kind should be {MATRIX_KIND}, was {manifest.kind}")
    try:
        body = json.loads(contents[MATRIX_FILE])
        check_version(body)
        cells = body["cells"]
        return {(str(cell["strategy"]), str(cell["regime"])): _cell(cell) for cell in cells}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{MATRIX_FILE} is missing or unreadable: {error}", remedy="rebuild the matrix"
        ) from error


class ModelStore:
    """Holds the models in use and changes them when the cache says so.

    Parameters
    ----------
    bundles : Path
        ``<home>/bundles``.
    model_name, matrix_name : str
        Registered names.
    note : callable
        Journals an event: kind and body.
    cascade_name, regime_name, policy_name, sentiment_name : str
        Registered names of the cascade predictor, the regime model, the policy and the mood; empty where they are not used.

    """

    def __init__(
        self,
        bundles: Path,
        model_name: str,
        matrix_name: str,
        note: Note,
        *,
        cascade_name: str = "",
        regime_name: str = "",
        policy_name: str = "",
        sentiment_name: str = "",
    ) -> None:
        named = {
            FUNDING_KIND: model_name,
            MATRIX_KIND: matrix_name,
            CASCADE_KIND: cascade_name,
            REGIME_HMM_KIND: regime_name,
            POLICY_KIND: policy_name,
            SENTIMENT_KIND: sentiment_name,
        }
        self._names = {kind: name for kind, name in named.items() if name}
        self._caches = {kind: BundleCache(bundles / name) for kind, name in self._names.items()}
        self._versions = dict.fromkeys(self._names, "")
        self._refused: dict[str, str] = {}
        self._note = note
        self._said: dict[str, object] = {}
        self.model: LoadedModel | None = None
        self.matrix: Matrix = {}
        self.cascade: CascadeForecaster | None = None
        self.regimes: LoadedRegimes | None = None
        self.policy: Policy | None = None
        self.mood: Mood | None = None

    @property
    def policy_version(self) -> str:
        """Version of the policy in use, ``""`` if there is none."""
        return self._versions.get(POLICY_KIND, "")

    def load_cached(self) -> None:
        """Load what is cached: the version pointed at, or else the newest one that is sound."""
        for kind, cache in self._caches.items():
            pointer = cache.pointer()
            first = [pointer.version] if pointer else []
            for version in [*first, *(v for v in cache.versions() if v not in first)]:
                if self._use(kind, version):
                    break

    def wanted_version(self, kind: str) -> str:
        """Version a fetch need not bring again: the one in use, or one already refused."""
        return self._refused.get(kind) or self._versions[kind]

    def take(self, kind: str, result: FetchResult) -> bool:
        """Act on what a fetch said; returns True if another version is in use now."""
        name = self._names[kind]
        self._say_once(f"registry {name}", result)
        if result.status == UNCHANGED and result.version == self._versions[kind]:
            self._refused.pop(kind, None)
        if result.status != FETCHED or not self._use(kind, result.version):
            if result.status in (FETCHED, REFUSED):
                self._refused[kind] = result.version
            return False
        self._refused.pop(kind, None)
        self._caches[kind].point_to(Pointer(result.version, result.run_id))
        return True

    def view(self, now_ns: int) -> ModelView:
        """Return what the engine needs to know, and say once when entries become refused or allowed."""
        view = _view(self.model, now_ns)
        state = view.refusals
        if self._said.get("state") != state:
            self._said["state"] = state
            words = [f"{reason}: {text}" for reason, text in state]
            log.log(
                logging.WARNING if words else logging.INFO, "model: %s", "; ".join(words) or "entries allowed"
            )
            body = {"refusals": [list(item) for item in state], "version": view.version}
            self._note("model_state", body)
        return view

    def _use(self, kind: str, version: str) -> bool:
        cache, name = self._caches[kind], self._names[kind]
        try:
            contents = cache.read(version)
            self._load(kind, version, contents)
        except BundleError as error:
            log.error("bundle %s version %s refused: %s", name, version, error)
            self._note(
                "error", {"code": "BUNDLE_REFUSED", "name": name, "version": version, "detail": str(error)}
            )
            cache.discard(version)
            return False
        before, self._versions[kind] = self._versions[kind], version
        log.info("bundle %s: version %s -> %s", name, before or "none", version)
        self._note("reload", {"name": name, "from": before, "to": version})
        return True

    def _load(self, kind: str, version: str, contents: Mapping[str, bytes]) -> None:
        # Those at the end bring compiled kernels with them: an executor without them need not wait for Numba.
        if kind == FUNDING_KIND:
            self.model = load_funding(version, contents)
        elif kind == MATRIX_KIND:
            self.matrix = load_matrix(contents)
        elif kind == POLICY_KIND:
            self.policy = load_policy(contents)
        elif kind == SENTIMENT_KIND:
            self.mood = load_mood(contents)
        elif kind == CASCADE_KIND:
            from hean_live.app.cascade_forecaster import load_cascade

            self.cascade = load_cascade(version, contents)
        else:
            from hean_live.app.regime_model import load_regimes

            self.regimes = load_regimes(version, contents)

    def _say_once(self, subject: str, result: FetchResult) -> None:
        news = (result.status, result.detail)
        if result.status in (FETCHED, UNCHANGED):
            news = ("reachable", "")
        if self._said.get(subject) == news:
            return
        first = subject not in self._said
        self._said[subject] = news
        if result.status in (UNREACHABLE, ABSENT, REFUSED):
            log.warning("%s: %s %s", subject, result.status, result.detail)
            self._note(
                "error", {"code": "REGISTRY", "subject": subject, "status": news[0], "detail": news[1]}
            )
        elif not first:
            self._note("registry", {"subject": subject, "status": "reachable again"})


def _view(model: LoadedModel | None, now_ns: int) -> ModelView:
    if model is None:
        return ModelView(refusals=(("NO_BUNDLE", "a funding bundle was expected, none is loaded"),))
    refusals = []
    manifest = model.manifest
    if model.predictor is None:
        words = f"feature spec should be {FEATURE_SPEC_HASH[:12]}…, was {manifest.feature_spec_hash[:12]}…"
        refusals.append(("FEATURE_SPEC", words))
    if now_ns >= manifest.expires_at_ns:
        refusals.append(("EXPIRED", f"the bundle was good until {_utc(manifest.expires_at_ns)}"))
    evidence = manifest.evidence.get(EVIDENCE_STUDY)
    passed = isinstance(evidence, dict) and evidence.get("passed") is True
    words = (
        f"study {EVIDENCE_STUDY} should have passed, the bundle says {json.dumps(evidence, sort_keys=True)}"
    )
    return ModelView(model.version, passed, "" if passed else words, tuple(refusals))


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, tz=UTC).isoformat(timespec="seconds")


def _cell(cell: Mapping[str, Any]) -> MatrixCell:
    numbers = (float(cell[name]) for name in ("ev_usd", "p_ev_positive", "ev_shrunk_usd", "ev_sd_usd"))
    shrunk = (cell.get(name) for name in ("win_rate_shrunk", "mean_win_shrunk_usd", "mean_loss_shrunk_usd"))
    return MatrixCell(int(cell["n"]), *numbers, *(None if each is None else float(each) for each in shrunk))
