"""What Dagster's pages show of a table: columns with their meaning and origin, a preview, failing rows.

What does not belong here: building tables.
"""

from collections.abc import Sequence

import dagster as dg

from hean_pipelines.sql.build import BuildResult
from hean_pipelines.sql.column_tests import ColumnTest, TestResult
from hean_pipelines.sql.lineage import Lineage
from hean_pipelines.sql.model import SqlModel

_SEVERITY = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


def description(model: SqlModel) -> str:
    """Return what the file says about itself, as Markdown."""
    header = model.header
    keys = ", ".join(f"`{key}`" for key in header.keys)
    return f"{header.description}\n\nGrain: {header.grain}.\n\nKeys: {keys}."


def column_lineage(lineage: Lineage) -> dg.TableColumnLineage:
    """Return the lineage of a table's columns as Dagster shows it; constants have none."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(table), source) for table, source in sources]
            for column, sources in lineage.items()
            if sources
        }
    )


def definition_metadata(model: SqlModel, lineage: Lineage) -> dict[str, dg.MetadataValue]:
    """Return what is known before the table is built: its columns' meaning and origin, and the SQL."""
    columns = [dg.TableColumn(name, description=text) for name, text in model.header.columns.items()]
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "dagster/column_lineage": dg.MetadataValue.column_lineage(column_lineage(lineage)),
        "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```"),
    }


def build_metadata(model: SqlModel, lineage: Lineage, result: BuildResult) -> dict[str, dg.MetadataValue]:
    """Return what building the table showed."""
    meanings = model.header.columns
    columns = [dg.TableColumn(name, kind.lower(), meanings[name]) for name, kind in result.columns.items()]
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(result.rows),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "dagster/column_lineage": dg.MetadataValue.column_lineage(column_lineage(lineage)),
        "preview": dg.MetadataValue.md(markdown_table(tuple(result.columns), result.preview)),
        "seconds": dg.MetadataValue.float(round(result.seconds, 3)),
    }
    if result.files_read is not None:
        metadata["files_read"] = dg.MetadataValue.int(result.files_read)
    if result.exported_to:
        metadata["parquet"] = dg.MetadataValue.path(result.exported_to)
    return metadata


def check_spec(model: SqlModel, test: ColumnTest) -> dg.AssetCheckSpec:
    """Return the asset check of one column test."""
    return dg.AssetCheckSpec(
        test.name, asset=dg.AssetKey(model.name), description=test.description, blocking=test.blocking
    )


def check_result(model: SqlModel, result: TestResult) -> dg.AssetCheckResult:
    """Return one test's outcome, with the rows that broke the rule."""
    metadata: dict[str, dg.MetadataValue] = {"failing_rows": dg.MetadataValue.int(result.failures)}
    if not result.passed:
        metadata["first_failing_rows"] = dg.MetadataValue.md(markdown_table(result.columns, result.sample))
    return dg.AssetCheckResult(
        passed=result.passed,
        check_name=result.test.name,
        asset_key=dg.AssetKey(model.name),
        severity=_SEVERITY[result.test.severity],
        description=result.test.description,
        metadata=metadata,
    )


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    r"""Return rows as a Markdown table; bars inside a cell are escaped.

    Examples
    --------
    >>> print(markdown_table(("a", "b"), [(1, None), (2, "x|y")]))
    | a | b |
    | --- | --- |
    | 1 | null |
    | 2 | x\\|y |

    """
    lines = [tuple(columns), ("---",) * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return "null" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
