"""`hean warehouse`: make the warehouse from the lake, test it, ask it, list what it is made of.

What does not belong here: anything Dagster does; these commands work without an instance.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hean_pipelines.resources.warehouse import Warehouse
    from hean_pipelines.sql.build import BuildResult
    from hean_pipelines.sql.column_tests import TestResult

_EPILOG = """examples:
  hean warehouse rebuild                       make every table again from the lake and export the marts
  hean warehouse tests                         run the column tests on the tables as they are
  hean warehouse tests --model mart_bybit__funding_panel
  hean warehouse models                        list the SQL files in build order, with what they read
  hean warehouse docs --out warehouse.html     a page of every table: columns, units, tests, where each column comes from
  hean warehouse query "select symbol, count(*) from mart_bybit__settlement_funding group by symbol"

The warehouse file is open in one process at a time. To read marts from elsewhere, use the Parquet files in
HEAN_HOME/lake/marts/; they need no lock. Exit codes: 0 done, 2 a SQL file is wrong, 4 the file is busy, 7 a test
failed or the file is damaged (rebuild mends that)."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean warehouse` and what it can do."""
    parser = subparsers.add_parser(
        "warehouse",
        help="rebuild, test and query the DuckDB warehouse",
        description="The warehouse holds the tables made by the SQL files of dbt_like_sql. It can always be made "
        "again from the lake.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    _action(
        actions, "rebuild", "make every table again from the lake; the present file may be damaged", _rebuild
    )
    tests = _action(actions, "tests", "run the column tests on the tables as they are", _tests)
    tests.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="only this table; repeatable"
    )
    models = _action(actions, "models", "list the SQL files in build order, with what they read", _models)
    models.add_argument(
        "--write-dependencies",
        action="store_true",
        help="renew dbt_like_sql/dependencies.json and lineage.json, which spare parsing the SQL whenever definitions load",
    )
    docs = _action(actions, "docs", "write a page about every table, from the SQL files alone", _docs)
    docs.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="an .html file, or an .md file whose marked part is renewed",
    )
    query = _action(actions, "query", "run one select and print its rows", _query)
    query.add_argument("sql", help="a select; the file is opened to read only")
    query.add_argument("--format", choices=("table", "csv", "json"), default="table", help="default: table")
    query.add_argument("--limit", type=int, default=50, help="most rows to print (default 50, 0 for all)")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "--home", metavar="FOLDER", help="folder of all state (default: HEAN_HOME, else var/)"
    )
    parser.set_defaults(run=run)
    return parser


def _warehouse(args: argparse.Namespace) -> Warehouse:
    from hean_pipelines.resources.warehouse import Warehouse
    from hean_pipelines.settings import load_settings

    return Warehouse.from_settings(load_settings(home=Path(args.home) if args.home else None))


def _rebuild(args: argparse.Namespace) -> int:
    from hean_pipelines.sql.build import build_all
    from hean_pipelines.sql.model import load_models

    warehouse, models = _warehouse(args), load_models()
    with _progress(len(models)) as advance, warehouse.fresh() as connection:
        results = build_all(connection, models, warehouse.lake_root, on_built=advance)
    for result in results:
        print(f"{result.name:<34} {result.rows:>10} rows {result.seconds:>7.2f} s")
    failed = _print_failures((result.name, result.tests) for result in results)
    missing = len(models) - sum(result.published for result in results)
    if missing:
        raise DataError(
            f"{missing} of {len(models)} tables were not made: blocking tests failed, see above",
            remedy="mend the lake (hean backfill the days named) and rebuild; former exports of these marts stay",
        )
    print(f"rebuilt {warehouse.path}: {len(results)} tables from {warehouse.lake_root}")
    return DataError.exit_code if failed else 0


def _tests(args: argparse.Namespace) -> int:
    from hean_pipelines.sql.build import audit_table
    from hean_pipelines.sql.model import load_models

    models = load_models()
    unknown = [name for name in args.model if name not in models]
    if unknown:
        raise ConfigError(
            f"expected names of SQL files, was {', '.join(unknown)}",
            remedy="list them with `hean warehouse models`",
        )
    chosen = [model for model in models.values() if not args.model or model.name in args.model]
    with _warehouse(args).reader("hean warehouse tests") as connection:
        results = [(model.name, audit_table(connection, model)) for model in chosen]
    failed = _print_failures(iter(results))
    total = sum(len(tests) for _, tests in results)
    print(f"{total} tests of {len(results)} tables, {failed} failed")
    return DataError.exit_code if failed else 0


def _models(args: argparse.Namespace) -> int:
    from hean_pipelines.sql import lineage
    from hean_pipelines.sql.dependencies import CACHE_NAME, cache_text, text_hash
    from hean_pipelines.sql.model import load_models, sql_root

    models = load_models()
    for model in models.values():
        reads = ", ".join((*model.raw, *model.models))
        print(f"{model.name}\n    {model.header.grain}; reads {reads}")
    if args.write_dependencies:
        found = {
            model.name: (text_hash(model.sql), tuple(sorted((*model.raw, *model.models))))
            for model in models.values()
        }
        (sql_root() / CACHE_NAME).write_text(cache_text(found), encoding="utf-8")
        (sql_root() / lineage.CACHE_NAME).write_text(lineage.cache_text(models), encoding="utf-8")
    return 0


def _docs(args: argparse.Namespace) -> int:
    from hean_pipelines.sql.docs import write_docs

    tables = write_docs(args.out)
    print(f"{args.out}: {tables} tables")
    return 0


def _query(args: argparse.Namespace) -> int:
    import duckdb

    with _warehouse(args).reader("hean warehouse query") as connection:
        try:
            cursor = connection.execute(args.sql)
            columns = [column[0] for column in cursor.description]
            rows = cursor.fetchmany(args.limit + 1) if args.limit else cursor.fetchall()
        except (duckdb.ProgrammingError, duckdb.InvalidInputException) as error:
            raise DataError(
                f"the query failed: {error}", remedy="list tables with `hean warehouse models`"
            ) from None
    shown = rows[: args.limit] if args.limit else rows
    _PRINTERS[args.format](columns, shown)
    if len(shown) < len(rows):
        print(f"the first {args.limit} rows; --limit 0 prints all", file=sys.stderr)
    return 0


def _print_failures(results: Iterator[tuple[str, tuple[TestResult, ...]]]) -> int:
    failed = 0
    for name, tests in results:
        for result in tests:
            if result.passed:
                continue
            failed += result.test.severity == "error"
            print(
                f"{result.test.severity}: {name}: {result.test.description}: failing rows {result.failures}, "
                f"first {dict(zip(result.columns, result.sample[0], strict=True))}"
            )
    return failed


@contextmanager
def _progress(total: int) -> Iterator[Callable[[BuildResult], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("tables", total=total)
        yield lambda result: progress.update(task, advance=1, description=result.name)


def _print_table(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    # Into a file or a pipe, cells are printed whole.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def _print_csv(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _print_json(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        print(json.dumps(dict(zip(columns, row, strict=True)), default=str))


_PRINTERS = {"table": _print_table, "csv": _print_csv, "json": _print_json}
