"""A short-lived process that asks the registry for a bundle: alias → version number → files, verified, into the cache.

Run as ``python -m hean_live.bundle.fetch``; prints one JSON line. MLflow is imported here and nowhere else in
the executor: it is large and slow, and must not be able to stop trading. The status is ``fetched``,
``unchanged``, ``absent`` (no such model or alias), ``refused`` (the bundle is corrupt) or ``unreachable``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hean_live.app.process import hold_back_heavy_imports
from hean_live.bundle.cache import BundleCache, read_folder
from models.bundle import MANIFEST_NAME
from models.errors import BundleError

FETCHED, UNCHANGED, ABSENT, REFUSED, UNREACHABLE = "fetched", "unchanged", "absent", "refused", "unreachable"
# MLflow imports these where they are installed: twice the memory and the time for nothing used here.
_NOT_NEEDED = ("pandas", "sklearn", "matplotlib", "pyarrow")
_NOT_FOUND = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


def sqlite_path(tracking_uri: str) -> Path | None:
    """Return the file behind a ``sqlite:///`` URI, None for any other."""
    prefix = "sqlite:///"
    return Path(tracking_uri.removeprefix(prefix)) if tracking_uri.startswith(prefix) else None


def fetch(tracking_uri: str, name: str, alias: str, cache: BundleCache, have: str) -> dict[str, str]:
    """Bring the cache up to date with an alias.

    Parameters
    ----------
    tracking_uri, name, alias : str
        Where the registry is, the registered model, and its alias.
    cache : BundleCache
    have : str
        Version already in use; it is not downloaded again.

    Returns
    -------
    dict of str to str
        ``status`` and, where known, ``version``, ``run_id`` and ``detail``.

    """
    database = sqlite_path(tracking_uri)
    if database is not None and not database.exists():
        # MLflow would create an empty registry in its place.
        return {"status": UNREACHABLE, "detail": f"{database} does not exist"}
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        found = client.get_model_version_by_alias(name, alias)
        version, run_id = str(found.version), str(found.run_id or "")
        known = {"version": version, "run_id": run_id}
        if version == have:
            return {"status": UNCHANGED, **known}
        contents = _download(client, name, version, run_id, tracking_uri)
    except BundleError as error:
        return {"status": REFUSED, "detail": str(error), **known}
    except MlflowException as error:
        status = ABSENT if error.error_code in _NOT_FOUND else UNREACHABLE
        return {"status": status, "detail": str(error.message).splitlines()[0]}
    try:
        cache.store(version, contents)
    except BundleError as error:
        return {"status": REFUSED, "detail": str(error), **known}
    return {"status": FETCHED, **known}


def _download(client: Any, name: str, version: str, run_id: str, tracking_uri: str) -> dict[str, bytes]:
    """Download a version's artifacts and return the files of the folder that holds the manifest."""
    import mlflow
    from mlflow.artifacts import download_artifacts

    mlflow.set_tracking_uri(tracking_uri)
    with tempfile.TemporaryDirectory(prefix="hean-bundle-") as folder:
        source = client.get_model_version_download_uri(name, version)
        local = Path(download_artifacts(artifact_uri=source, dst_path=folder))
        manifest = _manifest_in(local)
        if manifest is None and run_id:
            local = Path(download_artifacts(run_id=run_id, artifact_path="bundle", dst_path=folder))
            manifest = _manifest_in(local)
        if manifest is None:
            raise BundleError(f"{name} version {version}: a {MANIFEST_NAME} was expected among its artifacts")
        return read_folder(manifest.parent)


def _manifest_in(folder: Path) -> Path | None:
    found = sorted(folder.rglob(MANIFEST_NAME), key=lambda path: len(path.parts))
    return found[0] if found else None


def main(argv: list[str] | None = None) -> int:
    """Fetch once, print the result as one JSON line, and return 0 if the registry answered."""
    parser = argparse.ArgumentParser(prog="python -m hean_live.bundle.fetch", description=__doc__)
    parser.add_argument("--tracking-uri", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--alias", default="champion")
    parser.add_argument(
        "--dest", required=True, type=Path, help="folder of the cached versions of this model"
    )
    parser.add_argument("--have", default="", help="version already in use")
    arguments = parser.parse_args(argv)
    hold_back_heavy_imports(_NOT_NEEDED)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    result = fetch(
        arguments.tracking_uri, arguments.name, arguments.alias, BundleCache(arguments.dest), arguments.have
    )
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if result["status"] != UNREACHABLE else 4


if __name__ == "__main__":
    raise SystemExit(main())
