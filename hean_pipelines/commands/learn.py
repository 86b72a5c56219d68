"""`hean learn`: the learning job, run now. Arguments and printing; the job is `hean_pipelines.defs.schedules`."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta

_EPILOG = """\
examples:
  hean learn                                   yesterday and today
  hean learn --start 2025-06-01 --end 2025-06-03

The same job runs every four hours in Dagster (schedule four_hourly_learning).
exit codes: 0 done, 1 a step failed, 2 wrong option or setting.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "learn",
        help="ingest the executor's journal, compute the regime-performance matrix and the next policy",
        description="Copy days of the executor's journal into the lake, compute what each strategy earned in each regime and "
        "what the learning loops make of it, and register matrix and policy, which a running executor loads by itself.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--start", type=date.fromisoformat, metavar="YYYY-MM-DD", help="first day (default: yesterday)"
    )
    parser.add_argument(
        "--end", type=date.fromisoformat, metavar="YYYY-MM-DD", help="last day (default: today)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the job; returns the exit code."""
    from hean_pipelines.commands.progress import step_progress
    from hean_pipelines.defs.schedules import learn_selection
    from hean_pipelines.jobs import run_selection
    from hean_pipelines.settings import load_settings

    today = datetime.now(UTC).date()
    last = args.end or today
    first = args.start or last - timedelta(days=1)
    with step_progress("learn") as on_step:
        result = run_selection(load_settings(), learn_selection(), days=(first, last), on_step=on_step)
    matrix = result.metadata.get("model_hean__regime_matrix", {})
    print(
        f"{matrix.get('trades', 0)} trades, {matrix.get('cells', 0)} cells, version {matrix.get('version', 'none')}"
    )
    policy = result.metadata.get("model_hean__policy", {})
    print(f"policy version {policy.get('version', 'none')}: {policy.get('why', 'not made')}")
    return 0
