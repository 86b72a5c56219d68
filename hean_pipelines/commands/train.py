"""`hean train`: the retrain job, run now. Arguments and printing; the job is `hean_pipelines.defs.schedules`."""

from __future__ import annotations

import argparse
import json

_EPILOG = """\
examples:
  hean train                 marts, features, walk-forward, study E1, challenger, promotion
  hean train --dry-run       what would be materialised, in order
  hean train --json          the outcome as one JSON object

The same job runs every four hours in Dagster (schedule four_hourly_retrain). It reads the lake only: fetch data first with
`hean backfill`. exit codes: 0 done, 1 a step or a blocking check failed, 2 wrong option or setting.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="retrain the funding predictor and promote it if it earned it",
        description="Rebuild the marts and features from the lake, forecast out of sample with every candidate, register the "
        "best as challenger in MLflow, and move the alias `champion` if the test and the checks say so.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dry-run", action="store_true", help="print the steps, run nothing")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON on standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the job and print what came of it; returns the exit code."""
    from hean_pipelines.build import build_definitions
    from hean_pipelines.commands.progress import step_progress
    from hean_pipelines.defs.schedules import retrain_selection
    from hean_pipelines.jobs import run_selection
    from hean_pipelines.settings import load_settings

    settings = load_settings()
    if args.dry_run:
        graph = build_definitions(settings).resolve_asset_graph()
        chosen = retrain_selection().resolve(graph)
        print("\n".join(key.to_user_string() for key in graph.toposorted_asset_keys if key in chosen))
        return 0
    with step_progress("train") as on_step:
        result = run_selection(settings, retrain_selection(), on_step=on_step)
    promotion = result.metadata.get("model_funding__champion", {})
    challenger = result.metadata.get("model_funding__challenger", {})
    outcome = {
        "run_id": result.run_id,
        "seconds": round(result.seconds, 1),
        "candidate": challenger.get("candidate"),
        "challenger_version": challenger.get("version"),
        "champion_version": promotion.get("champion_version"),
        "promoted": promotion.get("promoted"),
        "reason": promotion.get("reason"),
        "failed_checks": result.failed_checks,
    }
    if args.json:
        print(json.dumps(outcome))
        return 0
    print(f"challenger: {outcome['candidate']}, version {outcome['challenger_version']}")
    print(f"champion:   version {outcome['champion_version']} ({outcome['reason']})")
    for check in result.failed_checks:
        print(f"warning: check failed: {check}")
    return 0
