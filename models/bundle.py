"""The bundle that carries a trained model from the pipelines to the executor, as bytes.

Here belongs the manifest: what it must hold, how it is built and how a received bundle is verified. Reading and writing
the bytes is the business of the shells; what the bytes of one kind of model mean is the business of that model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from models.errors import BundleError

MANIFEST_NAME = "manifest.json"
_SCHEMA = 1
_TYPES: dict[str, type] = {
    "name": str,
    "kind": str,
    "files": dict,
    "feature_spec_hash": str,
    "trained_through_ns": int,
    "expires_at_ns": int,
    "golden": list,
    "evidence": dict,
}


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes
    ----------
    name : str
        Registered model name, for example ``hean-funding``.
    kind : str
        ``funding_predictor`` or ``regime_matrix``.
    files : dict of str to str
        Relative path to lower-case hex SHA-256 of every file but the manifest.
    feature_spec_hash : str
        Hash of the feature names, units and order the model was trained on.
    trained_through_ns, expires_at_ns : int
        Last label used and the instant after which no decision may rest on it, ns UTC.
    code_version, data_version : str
        Revision of the code and hash of the training data.
    golden : list of dict
        Up to 50 rows ``{"features": [...], "expected": {...}}`` that a loader must reproduce.
    evidence : dict
        Verdicts by study id, for example ``{"E1": {"passed": true, "r2": 0.4}}``.

    """

    name: str
    kind: str
    files: dict[str, str]
    feature_spec_hash: str
    trained_through_ns: int
    expires_at_ns: int
    code_version: str
    data_version: str
    golden: list[dict[str, Any]] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    schema: int = _SCHEMA


def build_bundle(contents: Mapping[str, bytes], **fields: Any) -> dict[str, bytes]:
    """Add a manifest to the files of a model.

    Parameters
    ----------
    contents : mapping of str to bytes
        The model's own files by relative path.
    **fields
        The remaining fields of `Manifest`.

    Returns
    -------
    dict of str to bytes
        `contents` with ``manifest.json`` beside them.

    """
    files = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(contents.items())}
    manifest = Manifest(files=files, **fields)
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True, allow_nan=False)
    return {**contents, MANIFEST_NAME: text.encode()}


def read_manifest(data: bytes) -> Manifest:
    """Parse a manifest.

    Raises
    ------
    BundleError
        If it is not valid JSON, of another schema, or a field is missing or of another type.

    """
    try:
        body = json.loads(data)
        manifest = Manifest(**body)
    except (ValueError, TypeError) as error:
        raise BundleError(
            f"bundle manifest is unreadable: {error}", remedy="retrain, or point the alias at another version"
        ) from error
    if manifest.schema != _SCHEMA:
        raise BundleError(
            f"bundle schema should be {_SCHEMA}, was {manifest.schema}",
            remedy="run the executor and the pipelines from the same release",
        )
    wrong = [name for name, kind in _TYPES.items() if not isinstance(getattr(manifest, name), kind)]
    if wrong or not all(isinstance(row, dict) for row in manifest.golden):
        raise BundleError(
            f"bundle manifest fields {wrong or ['golden']} are of another type than expected",
            remedy="retrain, or point the alias at another version",
        )
    return manifest


def verify_bundle(contents: Mapping[str, bytes]) -> Manifest:
    """Check every file of a bundle against its manifest.

    Parameters
    ----------
    contents : mapping of str to bytes
        All files of the bundle by relative path, the manifest among them.

    Returns
    -------
    Manifest

    Raises
    ------
    BundleError
        If the manifest is missing or unreadable, or a file is missing, extra or altered.

    """
    if MANIFEST_NAME not in contents:
        raise BundleError("bundle has no manifest.json", remedy="delete the cached bundle and fetch it again")
    manifest = read_manifest(contents[MANIFEST_NAME])
    found = set(contents) - {MANIFEST_NAME}
    if found != set(manifest.files):
        raise BundleError(
            f"bundle files should be {sorted(manifest.files)}, were {sorted(found)}",
            remedy="delete the cached bundle and fetch it again",
        )
    for path, expected in manifest.files.items():
        actual = hashlib.sha256(contents[path]).hexdigest()
        if actual != expected:
            raise BundleError(
                f"{path}: SHA-256 should be {str(expected)[:12]}…, was {actual[:12]}…",
                remedy="delete the cached bundle and fetch it again",
            )
    return manifest
