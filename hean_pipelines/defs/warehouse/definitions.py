"""One asset per SQL file: its key, table, op and file have one name; the folder is its group.

The raw assets are partitioned by day, these are not: each run rebuilds the whole table from the whole lake. A table is
then a function of the lake alone, so an incremental run and `hean warehouse rebuild` give the same bytes, late or
corrected days need no care, and windows and as-of joins see across midnight. It costs about a second for each million
rows. Two tables outgrow this, those made of trades and of every file of the lake: their headers say `partitions`, and only
changed files are read again (`hean_pipelines.sql.partitions`), with the same result. A raw asset's key is the dataset's name in
the SQL; Dagster maps all of its days to the one table.

All ops are in the pool `duckdb_write` (limit 1, op granularity, in `dagster.yaml`), behind which the warehouse takes
an operating-system lock. Tests run inside the op, before the table is published: a blocking one that fails leaves the
former table and Parquet file in place. What does not belong here: SQL, locks, raw assets.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.defs.warehouse.automation import follows_its_inputs
from hean_pipelines.defs.warehouse.metadata import (
    build_metadata,
    check_result,
    check_spec,
    definition_metadata,
    description,
)
from hean_pipelines.defs.warehouse.pictures import pictures
from hean_pipelines.resources.warehouse import POOL, Warehouse, WarehouseBusy
from hean_pipelines.sql.build import build_model
from hean_pipelines.sql.lineage import Lineage, all_lineage
from hean_pipelines.sql.model import SqlModel, load_models
from models.errors import HeanError

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

RETRIES = 3
RETRY_AFTER_S = 10.0


def warehouse_definitions(settings: "PipelineSettings", root: Path | None = None) -> dg.Definitions:
    """Return the assets of the SQL files and the resource `warehouse`.

    Parameters
    ----------
    settings : PipelineSettings
        Says where the warehouse and the lake are.
    root : Path, optional
        Folder of the SQL files; the package `dbt_like_sql` by default.

    """
    models = load_models(root)
    lineage = all_lineage(models, root)
    return dg.Definitions(
        assets=[sql_asset(model, lineage[name]) for name, model in models.items()],
        resources={"warehouse": Warehouse.from_settings(settings)},
    )


def sql_asset(model: SqlModel, lineage: Lineage | None = None) -> dg.AssetsDefinition:
    """Return the asset of one SQL file, with a check for each of its tests."""
    origins = lineage or {}

    @dg.asset(
        key=dg.AssetKey(model.name),
        deps=[dg.AssetKey(name) for name in (*model.models, *model.raw)],
        group_name=model.layer,
        kinds={"sql", "duckdb", "parquet"} if model.is_mart else {"sql", "duckdb"},
        description=description(model),
        metadata=definition_metadata(model, origins),
        code_version=hashlib.sha256(model.sql.encode()).hexdigest()[:12],
        check_specs=[check_spec(model, test) for test in model.tests],
        automation_condition=follows_its_inputs,
        pool=POOL,
    )
    def build(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        try:
            with warehouse.writer(f"asset {model.name}") as connection:
                result = build_model(connection, model, warehouse.lake_root)
                drawn = pictures(model, lambda sql: connection.execute(sql).fetchall())
        except WarehouseBusy as error:
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_AFTER_S) from error
        except HeanError as error:
            raise dg.Failure(f"{error}\n{error.remedy}".strip(), allow_retries=False) from error
        context.log.info(f"{model.name}: {result.rows} rows in {result.seconds:.2f} s")
        checks = [check_result(model, test) for test in result.tests]
        if result.published:
            metadata = build_metadata(model, origins, result) | drawn
            yield dg.MaterializeResult(metadata=metadata, check_results=checks)
            return
        yield from checks
        raise dg.Failure(
            f"{model.name} was not published, the former table stays: {', '.join(result.blocked_by)} failed",
            metadata=build_metadata(model, origins, result),
            allow_retries=False,
        )

    return build
