"""Reaching MLflow: a sign of life within seconds, one client, its failures as errors of ours.

MLflow itself retries an unreachable store for minutes, so the store is asked first. Telemetry is switched off before
MLflow is imported, which happens inside the functions: definitions load without it.
What does not belong here: what is logged or registered.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import DataError, Retryable

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
_SQLITE = "sqlite:///"
_REMEDY = "start the MLflow server or check tracking_uri; bundles the executor has cached still work"


class RegistryUnreachable(Retryable):
    """MLflow did not answer."""


class NotRegistered(DataError):
    """MLflow answered that there is no such model, version or alias."""


@contextmanager
def connected(tracking_uri: str) -> Iterator["MlflowClient"]:
    """Give a client of a store that has just answered, and translate what it raises.

    Parameters
    ----------
    tracking_uri : str
        `sqlite:///<path>` or the address of a server.

    Raises
    ------
    RegistryUnreachable
        If the store does not answer or fails.
    NotRegistered
        If it answers that something asked for does not exist.
    DataError
        If the file is not a database.

    """
    check_reachable(tracking_uri)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    try:
        yield mlflow.MlflowClient(tracking_uri, tracking_uri)
    except MlflowException as error:
        if error.error_code in _ABSENT:
            raise NotRegistered(f"MLflow at {tracking_uri} refused: {error.message}") from error
        raise RegistryUnreachable(
            f"MLflow at {tracking_uri} failed: {error.message}", remedy=_REMEDY
        ) from error
    except (SQLAlchemyError, OSError) as error:
        raise RegistryUnreachable(f"MLflow at {tracking_uri} failed: {error}", remedy=_REMEDY) from error


def check_reachable(tracking_uri: str) -> None:
    """Ask a store for a sign of life: a file that opens, a server that answers `/health`.

    Raises
    ------
    RegistryUnreachable
        If the file cannot be opened or the server does not answer within five seconds.
    DataError
        If the file is not a database.

    """
    if tracking_uri.startswith(_SQLITE):
        _check_sqlite(Path(tracking_uri.removeprefix(_SQLITE)))
    elif tracking_uri.startswith(("http://", "https://")):
        _check_server(tracking_uri)


def _check_sqlite(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute("pragma schema_version").fetchone()
    except (sqlite3.OperationalError, OSError) as error:
        raise RegistryUnreachable(
            f"could not open the MLflow store {path}: {error}", remedy=_REMEDY
        ) from error
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"expected an MLflow store at {path}, was: {error}",
            remedy="move the file away and train again; the executor keeps running on its cached bundle",
        ) from error


def _check_server(uri: str) -> None:
    import requests

    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=5).raise_for_status()
    except requests.RequestException as error:
        raise RegistryUnreachable(
            f"the MLflow server at {uri} did not answer: {error}", remedy=_REMEDY
        ) from error
