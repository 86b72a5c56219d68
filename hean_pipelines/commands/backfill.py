"""`hean backfill`: bring a range of days into the lake, or on to the features, as one Dagster run. Arguments and printing.

The run itself is `hean_pipelines/backfill.py`.
"""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_pipelines.backfill import BackfillResult
    from hean_pipelines.backfill_plan import BackfillPlan

_EPILOG = """\
examples:
  hean backfill --start 2025-01-01 --end 2025-12-31 --dry-run
  hean backfill --start 2025-01-01 --end 2025-12-31 --symbols BTCUSDT,ETHUSDT
  hean backfill --start 2025-06-01 --datasets raw_bybit__settlement_funding,raw_bybit__5m_perp_klines
  hean backfill --start 2025-01-01 --through features
  hean backfill --start 2025-01-01 --datasets binance,okx          other venues: published files first, then REST
  hean backfill --start 2025-06-01 --end 2025-06-30 --datasets files   trades, metrics, depth bands, spot bars

Running it again is safe: each day's file is replaced whole by what the venue says now, days the venue has no rows
for are left as they are. Published files that have not changed are not fetched again; a broken download is gone on
with. The run is kept under HEAN_HOME/dagster, where `hean dev` shows it.
exit codes: 0 done, 2 wrong option or setting, 4 the venue could not be reached, 7 data failed; see `error:` and `remedy:`.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "backfill",
        help="fetch a range of days of market data into the lake",
        description="Fetch days of public market data from the venue into the lake (Parquet under HEAN_HOME/lake), "
        "as one run of the same Dagster assets the schedules use.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--start", required=True, type=_day, metavar="YYYY-MM-DD", help="first day, UTC")
    parser.add_argument("--end", type=_day, metavar="YYYY-MM-DD", help="last day, included (default: today)")
    parser.add_argument(
        "--symbols", type=_names, metavar="A,B", help="symbols (default: the universe of the settings)"
    )
    parser.add_argument(
        "--datasets",
        type=_names,
        metavar="A,B",
        help="datasets, or groups of them: bybit (default), binance, okx, coinglass, sentiment, files, all",
    )
    parser.add_argument(
        "--through",
        choices=("lake", "features"),
        default="lake",
        help="how far to go: raw data only, or on through marts to features (default: lake)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be fetched, fetch nothing")
    parser.add_argument(
        "--venue-url", metavar="URL", help="where to fetch from (default: HEAN_PIPELINES_VENUE_URL)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Plan, fetch, print what was stored; returns the exit code."""
    from hean_pipelines.backfill import run_backfill
    from hean_pipelines.backfill_plan import plan_backfill
    from hean_pipelines.settings import load_settings

    settings = load_settings(venue_url=args.venue_url)
    plan = plan_backfill(
        settings, args.start, args.end, symbols=args.symbols, datasets=args.datasets, through=args.through
    )
    _print_plan(plan, settings.venue_url)
    if args.dry_run:
        print("dry run: nothing was fetched")
        return 0
    result = run_backfill(settings, plan, observe=_progress_bars())
    _print_result(result)
    return result.exit_code


def _print_plan(plan: BackfillPlan, venue_url: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=140)
    console.print(
        f"{plan.first} to {plan.last}: {plan.days} days, {len(plan.symbols)} symbols from {venue_url}"
    )
    table = Table("dataset")
    table.add_column("requests, about", justify="right")
    for name, requests in plan.requests.items():
        table.add_row(name, f"{requests:,}")
    table.add_row("all", f"{sum(plan.requests.values()):,}")
    console.print(table)
    console.print(f"symbols: {', '.join(plan.symbols)}")
    if plan.through != "lake":
        console.print(f"then: {', '.join(plan.downstream) or 'nothing downstream'}")


def _print_result(result: BackfillResult) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"run {result.run_id}: {'done' if result.success else 'FAILED'} in {result.seconds:.1f} s"
    )
    for name in ("dataset", "rows", "days", "requests", "seconds", "remarks"):
        table.add_column(name, justify="left" if name in ("dataset", "remarks") else "right")
    for row in result.rows:
        table.add_row(
            row.dataset,
            f"{row.rows:,}",
            f"{row.days:,}",
            f"{row.requests:,}",
            f"{row.seconds:.1f}",
            row.remarks,
        )
    console = Console(width=140)
    if result.rows:
        console.print(table)
    console.print(f"run {result.run_id}: {'done' if result.success else 'FAILED'} in {result.seconds:.1f} s")
    for line in result.warnings:
        console.print(f"warning: {line}", markup=False)
    for line in result.errors:
        Console(stderr=True, width=140).print(f"error: {line}", markup=False)


def _progress_bars():  # type: ignore[no-untyped-def]
    """Return a context manager that shows one bar per dataset, or None when nobody looks."""
    import sys
    from contextlib import contextmanager

    if not sys.stderr.isatty():
        return None

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    from hean_pipelines.defs.market_data.progress import Progress, listening

    @contextmanager
    def bars():  # type: ignore[no-untyped-def]
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=Console(stderr=True)) as shown:
            tasks = {}

            def show(progress: Progress) -> None:
                if progress.dataset not in tasks:
                    tasks[progress.dataset] = shown.add_task(progress.dataset, total=progress.total, rows=0)
                shown.update(tasks[progress.dataset], completed=progress.done, rows=progress.rows)

            with listening(show):
                yield

    return bars


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day such as 2025-01-31, was {text!r}") from None


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise argparse.ArgumentTypeError("expected one or more names separated by commas")
    return names
