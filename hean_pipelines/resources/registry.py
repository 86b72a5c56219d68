"""Runs, bundles and aliases in MLflow: the pipelines' only way to it.

A version of a registered model holds a folder `bundle/` with exactly the bytes given. The executor, which has only
mlflow-skinny (with sqlalchemy and alembic for a `sqlite:///` store), fetches it like this; tried with 3.17.2:

    mlflow.set_tracking_uri(tracking_uri)
    version = MlflowClient().get_model_version_by_alias("hean-funding", "champion")    # .version, .run_id
    folder = mlflow.artifacts.download_artifacts(
        artifact_uri=f"models:/hean-funding/{version.version}/bundle", dst_path=empty_folder
    )                                                                                   # <empty_folder>/bundle

It should look for a sign of life first, as `registry_connection.check_reachable` does: MLflow itself retries for
minutes. The version's number is what is downloaded, not the alias, which may move between two calls.
What does not belong here: training, deciding where an alias moves.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import dagster as dg
from pydantic import Field

from hean_pipelines.resources import bundle_flavor
from hean_pipelines.resources.registry_connection import NotRegistered, connected

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

POOL = "mlflow"
"""Dagster pool of every op that writes to the registry; its limit is 1."""

Types = Mapping[str, str]


@dataclass(frozen=True)
class BundleVersion:
    """A version of a registered bundle: number, run that made it, aliases, creation time in ns UTC."""

    version: int
    run_id: str
    aliases: tuple[str, ...]
    created_ns: int


@dataclass(frozen=True)
class RegistryRun:
    """A run under way; what it logs is kept even if it fails later."""

    run_id: str
    tracking_uri: str

    def log(
        self,
        *,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        figures: Mapping[str, bytes] | None = None,
    ) -> None:
        """Log settings, numbers, and PNG pictures as `figures/<name>.png`; each name once in a run."""
        with connected(self.tracking_uri) as client, tempfile.TemporaryDirectory() as folder:
            from mlflow.entities import Metric, Param

            now_ms = time.time_ns() // 1_000_000
            numbers = [Metric(key, float(value), now_ms, 0) for key, value in (metrics or {}).items()]
            settings = [Param(key, str(value)) for key, value in (params or {}).items()]
            client.log_batch(self.run_id, metrics=numbers, params=settings)
            for name, png in (figures or {}).items():
                (Path(folder) / f"{name}.png").write_bytes(png)
            if figures:
                client.log_artifacts(self.run_id, folder, "figures")


class Registry(dg.ConfigurableResource):
    """MLflow's tracking store and model registry; any call may raise `RegistryUnreachable`.

    Parameters
    ----------
    tracking_uri : str
        `sqlite:///<path>` or the address of a server.
    artifact_root : str
        Folder or URL under which each new experiment gets a folder of its own.

    """

    tracking_uri: str = Field(description="sqlite:///<path> or the address of an MLflow server.")
    artifact_root: str = Field(description="Folder or URL of the artifacts of new experiments.")

    @classmethod
    def from_settings(cls, settings: "PipelineSettings") -> Self:
        """Return the registry of a home folder."""
        return cls(tracking_uri=settings.tracking_uri, artifact_root=settings.artifact_root)

    @contextmanager
    def start_run(
        self,
        experiment: str,
        name: str,
        *,
        data_version: str,
        code_version: str,
        tags: Mapping[str, str] | None = None,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        figures: Mapping[str, bytes] | None = None,
        dagster_run_id: str = "",
    ) -> Iterator[RegistryRun]:
        """Run a block as an MLflow run: FINISHED after it, FAILED if it raises.

        Parameters
        ----------
        experiment, name : str
            Where the run is listed and how it is called.
        data_version, code_version : str
            What was computed on and by which code; tags of the same names.
        tags, params, metrics, figures : mapping, optional
            Logged at once, figures as PNG bytes by name; more can be logged through the run.
        dagster_run_id : str
            Tag `dagster_run_id`, which leads back to Dagster's page.

        """
        all_tags = {**(tags or {}), "data_version": data_version, "code_version": code_version}
        if dagster_run_id:
            all_tags["dagster_run_id"] = dagster_run_id
        with connected(self.tracking_uri) as client:
            made = client.create_run(self._experiment(client, experiment), tags=all_tags, run_name=name)
        run = RegistryRun(made.info.run_id, self.tracking_uri)
        status = "FAILED"
        try:
            run.log(params=params, metrics=metrics, figures=figures)
            yield run
            status = "FINISHED"
        finally:
            with connected(self.tracking_uri) as client:
                client.set_terminated(run.run_id, status)

    def log_bundle(
        self,
        name: str,
        files: Mapping[str, bytes],
        *,
        run_id: str,
        signature: tuple[Types, Types] | None = None,
        input_example: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> int:
        """Register files as the next version of a model and return its number.

        Parameters
        ----------
        name : str
            Registered model, such as `hean-funding`; made if new.
        files : mapping of str to bytes
            Relative path and content; they come back exactly so.
        run_id : str
            The run that made them.
        signature : pair of mappings, optional
            Inputs and outputs: name to MLflow type (`double`, `long`, `string`, `boolean`).
        input_example : mapping of str to float, optional
            One row of inputs.
        tags : mapping, optional
            Tags of the version.

        """
        with connected(self.tracking_uri) as client:
            from mlflow.models import Model

            # Left to itself, MLflow puts the model into the default experiment: a folder in the working directory.
            experiment = client.get_run(run_id).info.experiment_id
            prepared = client.create_logged_model(experiment, name, source_run_id=run_id)
            logged = Model.log(
                artifact_path=None,
                name=name,
                flavor=bundle_flavor,
                registered_model_name=name,
                run_id=run_id,
                model_id=prepared.model_id,
                tags=dict(tags or {}),
                files=dict(files),
                signature=_signature(signature),
                input_example=input_example,
            )
        return int(logged.registered_model_version)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias name a version; a reader sees the old one or the new one."""
        with connected(self.tracking_uri) as client:
            client.set_registered_model_alias(name, alias, str(version))

    def alias_version(self, name: str, alias: str) -> int | None:
        """Return the version an alias names; None where there is no such model or alias."""
        try:
            with connected(self.tracking_uri) as client:
                return int(client.get_model_version_by_alias(name, alias).version)
        except NotRegistered:
            return None

    def versions(self, name: str) -> list[BundleVersion]:
        """Return every version of a model, oldest first; empty for an unknown model."""
        try:
            with connected(self.tracking_uri) as client:
                aliases: dict[str, str] = client.get_registered_model(name).aliases
                found = client.search_model_versions(f"name = '{name}'")
        except NotRegistered:
            return []
        numbered = {int(item.version): item for item in found}
        return [
            BundleVersion(
                number,
                item.run_id or "",
                tuple(sorted(alias for alias, named in aliases.items() if int(named) == number)),
                item.creation_timestamp * 1_000_000,
            )
            for number, item in sorted(numbered.items())
        ]

    def download_bundle(self, name: str, version: int) -> dict[str, bytes]:
        """Return the files of a version as they were registered; raises NotRegistered if there is none."""
        with connected(self.tracking_uri), tempfile.TemporaryDirectory() as folder:
            import mlflow.artifacts

            uri = f"models:/{name}/{version}/{bundle_flavor.FOLDER}"
            root = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
            paths = sorted(path for path in root.rglob("*") if path.is_file())
            return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

    def _experiment(self, client: Any, name: str) -> str:
        known = client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        location = f"{self.artifact_root.rstrip('/')}/{name}"
        return str(client.create_experiment(name, artifact_location=location))


def _signature(names: tuple[Types, Types] | None) -> Any:
    if names is None:
        return None
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs, outputs = (Schema([ColSpec(kind, name) for name, kind in side.items()]) for side in names)
    return ModelSignature(inputs, outputs)
