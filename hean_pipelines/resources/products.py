"""What the pipelines make besides the lake's partitions and the marts: named files, replaced whole.

Here belong the paths, and writing them so that no reader sees half a file. Partitioned market data belong to
`hean_pipelines.resources.lake`; what the files mean, to the assets that make them.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl


class Products:
    """Files under the lake's root.

    Parameters
    ----------
    lake_root : Path
        Folder of the lake.

    """

    def __init__(self, lake_root: Path) -> None:
        self.root = Path(lake_root)
        self.features = self.root / "features" / "funding.parquet"
        self.out_of_sample = self.root / "forecasts" / "out_of_sample.parquet"
        self.scores = self.root / "forecasts" / "scores.parquet"
        self.champion = self.root / "forecasts" / "champion.json"
        self.challenger = self.root / "forecasts" / "challenger.json"
        self.premium_study = self.root / "evidence" / "e1.json"
        self.matrix = self.root / "matrix" / "cells.parquet"

    def study(self, name: str) -> Path:
        """Return the file of a study on tapes: ``E5`` and so on."""
        return self.root / "evidence" / f"{name.lower()}.json"

    def mart(self, name: str) -> Path:
        """Return the exported Parquet file of a mart."""
        return self.root / "marts" / f"{name}.parquet"

    def read_mart(self, name: str) -> pl.DataFrame:
        """Read an exported mart.

        Raises
        ------
        DataError
            If it was never exported.

        """
        return self.read(self.mart(name), f"materialise {name}, or run `hean warehouse rebuild`")

    def read(self, path: Path, remedy: str) -> pl.DataFrame:
        """Read a Parquet product; the error of a missing one carries `remedy`."""
        import polars as pl

        if not path.is_file():
            raise DataError(f"{path} does not exist yet", remedy=remedy)
        return pl.read_parquet(path)

    def read_json(self, path: Path) -> dict[str, Any] | None:
        """Read a JSON product, None where there is none yet."""
        if not path.is_file():
            return None
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def write(self, path: Path, frame: pl.DataFrame) -> None:
        """Replace a Parquet product."""
        self._replace(path, lambda temporary: frame.write_parquet(temporary, compression="zstd"))

    def write_json(self, path: Path, body: Any) -> None:
        """Replace a JSON product."""
        text = json.dumps(body, indent=1, sort_keys=True)
        self._replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def _replace(self, path: Path, write: Any) -> None:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temporary)
            os.replace(temporary, path)
        except OSError as error:
            raise DataError(
                f"could not write {path}: {error.strerror or error}",
                remedy="free disk space or mend the folder's permissions; the old file stays",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
