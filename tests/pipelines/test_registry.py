"""The registry against a real MLflow store: what goes in comes back, failures are ours and come quickly."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from hean_pipelines.plots import new_figure, png_bytes
from hean_pipelines.resources.registry import Registry
from hean_pipelines.resources.registry_connection import NotRegistered, RegistryUnreachable
from models.errors import DataError, Retryable

FILES = {"manifest.json": b'{"name": "hean-funding"}', "models/ridge.txt": bytes(range(256)) * 40}
SIGNATURE = ({"premium": "double", "hour": "double"}, {"rate": "double"})
EXAMPLE = {"premium": 0.0001, "hour": 8.0}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home = tmp_path_factory.mktemp("home")
    return Registry(
        tracking_uri=f"sqlite:///{home / 'mlflow.db'}", artifact_root=(home / "mlartifacts").as_uri()
    )


def _run(registry: Registry, **given: object):
    return registry.start_run("funding", "walk-forward", data_version="d1", code_version="c1", **given)


def _artifacts(registry: Registry) -> Path:
    return Path(registry.artifact_root.removeprefix("file://"))


def test_registry_roundtrip(registry: Registry):
    with _run(registry) as run:
        first = registry.log_bundle(
            "hean-roundtrip", FILES, run_id=run.run_id, signature=SIGNATURE, input_example=EXAMPLE
        )
        started = time.perf_counter()
        second = registry.log_bundle("hean-roundtrip", {"manifest.json": b"{}"}, run_id=run.run_id)
        seconds = time.perf_counter() - started
    assert (first, second) == (1, 2)
    assert registry.download_bundle("hean-roundtrip", 1) == FILES
    assert registry.download_bundle("hean-roundtrip", 2) == {"manifest.json": b"{}"}
    assert seconds < 3
    assert [(item.version, item.run_id) for item in registry.versions("hean-roundtrip")] == [
        (1, run.run_id),
        (2, run.run_id),
    ]
    bundles = list(_artifacts(registry).glob("funding/models/*/artifacts/bundle/manifest.json"))
    assert len(bundles) == 2


def test_mlflow_shows_signature_and_example(registry: Registry, tmp_path: Path):
    import mlflow.artifacts
    from mlflow.models import Model

    with _run(registry) as run:
        registry.log_bundle(
            "hean-signed", FILES, run_id=run.run_id, signature=SIGNATURE, input_example=EXAMPLE
        )
    folder = mlflow.artifacts.download_artifacts(artifact_uri="models:/hean-signed/1", dst_path=str(tmp_path))
    model = Model.load(folder)
    assert model.signature.inputs.input_names() == ["premium", "hour"]
    assert model.signature.outputs.input_names() == ["rate"]
    assert model.load_input_example(folder).to_dict("records") == [EXAMPLE]
    assert set(model.flavors) == {"hean_bundle"}


def test_alias_moves(registry: Registry):
    with _run(registry) as run:
        for content in (b"1", b"2"):
            registry.log_bundle("hean-alias", {"x": content}, run_id=run.run_id)
    assert registry.alias_version("hean-alias", "champion") is None
    assert registry.alias_version("hean-unknown", "champion") is None
    registry.set_alias("hean-alias", "champion", 1)
    assert registry.alias_version("hean-alias", "champion") == 1
    registry.set_alias("hean-alias", "champion", 2)
    registry.set_alias("hean-alias", "challenger", 1)
    assert registry.alias_version("hean-alias", "champion") == 2
    assert [item.aliases for item in registry.versions("hean-alias")] == [("challenger",), ("champion",)]


def test_run_carries_versions_figures_and_dagster_run(registry: Registry):
    import mlflow

    figure = new_figure(2, 1)
    figure.subplots().plot([0, 1], [1, 0])
    with _run(
        registry,
        tags={"horizon": "90"},
        params={"alpha": 0.5},
        metrics={"r2": 0.7},
        figures={"skill": png_bytes(figure)},
        dagster_run_id="dagster-1",
    ) as run:
        run.log(metrics={"mae": 0.1})
    client = mlflow.MlflowClient(registry.tracking_uri)
    stored = client.get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.params == {"alpha": "0.5"}
    assert stored.data.metrics == {"r2": 0.7, "mae": 0.1}
    expected = {"data_version": "d1", "code_version": "c1", "dagster_run_id": "dagster-1", "horizon": "90"}
    assert expected.items() <= stored.data.tags.items()
    assert [item.path for item in client.list_artifacts(run.run_id, "figures")] == ["figures/skill.png"]


def test_failed_run_is_marked_failed(registry: Registry):
    import mlflow

    with pytest.raises(ValueError, match="boom"), _run(registry) as run:
        raise ValueError("boom")
    assert mlflow.MlflowClient(registry.tracking_uri).get_run(run.run_id).info.status == "FAILED"


def test_unknown_version_is_not_registered(registry: Registry):
    with pytest.raises(NotRegistered, match="hean-nowhere"):
        registry.download_bundle("hean-nowhere", 3)
    with pytest.raises(NotRegistered, match="hean-nowhere"):
        registry.set_alias("hean-nowhere", "champion", 1)
    assert registry.versions("hean-nowhere") == []


def test_server_down_is_retryable_and_quick(tmp_path: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    down = Registry(tracking_uri=f"http://127.0.0.1:{port}", artifact_root=tmp_path.as_uri())
    started = time.perf_counter()
    with pytest.raises(RegistryUnreachable, match="did not answer") as caught:
        down.alias_version("hean-funding", "champion")
    assert time.perf_counter() - started < 5
    assert isinstance(caught.value, Retryable)
    assert "tracking_uri" in caught.value.remedy


def test_store_that_cannot_be_opened_is_retryable(tmp_path: Path):
    (tmp_path / "file").write_text("")
    closed = Registry(
        tracking_uri=f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}", artifact_root=tmp_path.as_uri()
    )
    with pytest.raises(RegistryUnreachable, match="could not open"):
        closed.versions("hean-funding")


def test_store_that_is_no_database_says_so(tmp_path: Path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 100)
    damaged = Registry(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", artifact_root=tmp_path.as_uri())
    with pytest.raises(DataError, match="expected an MLflow store"):
        damaged.versions("hean-funding")


def test_telemetry_is_off(registry: Registry):
    import os

    registry.versions("anything")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()


def test_importing_the_registry_does_not_import_mlflow():
    import subprocess

    code = "import sys, hean_pipelines.resources.registry; sys.exit('mlflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
