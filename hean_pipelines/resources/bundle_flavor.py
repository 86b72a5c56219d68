"""The MLflow flavour `hean_bundle`: a logged model whose artifacts are a folder `bundle/` with given bytes.

A flavour of our own, because MLflow's pyfunc would add a pickled class, an environment guessed by running pip, and a
Python to serve it: the executor loads the files itself and checks their hashes. MLflow's pages show signature and
input example from `MLmodel`, whatever the flavour. What does not belong here: talking to the registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from models.errors import ConfigError

FLAVOR = "hean_bundle"
FOLDER = "bundle"
_EXAMPLE = "input_example.json"


def save_model(
    path: str,
    mlflow_model: Any,
    files: Mapping[str, bytes],
    signature: Any = None,
    input_example: Mapping[str, float] | None = None,
) -> None:
    """Write `bundle/`, the input example and `MLmodel` into a folder; MLflow calls this by its name.

    Parameters
    ----------
    path : str
        Folder to make.
    mlflow_model : mlflow.models.Model
        Description to complete and write.
    files : mapping of str to bytes
        Relative path, with forward slashes, and content of each file.
    signature : mlflow.models.ModelSignature, optional
        Names and types of inputs and outputs.
    input_example : mapping of str to float, optional
        One row of features by name.

    """
    root = Path(path)
    root.mkdir(parents=True)
    for name, content in files.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ConfigError(f"expected relative paths inside the bundle, was {name!r}")
        target = root / FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if input_example is not None:
        row = {"columns": list(input_example), "data": [list(input_example.values())]}
        (root / _EXAMPLE).write_text(json.dumps(row), encoding="utf-8")
        mlflow_model.saved_input_example_info = {
            "artifact_path": _EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
        }
    mlflow_model.signature = signature
    mlflow_model.add_flavor(FLAVOR, data=FOLDER)
    mlflow_model.save(str(root / "MLmodel"))
