"""`hean report`: one HTML page of what the system forecast, traded and knows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

EPILOG = """\
The page needs no network and no server: open it in a browser, or send the file. It reads only Parquet and JSON
files of the state folder, so it may be built while the executor or a pipeline runs. What is absent is said in
words, with the command that makes it.

examples:
  hean report                                   var/report/index.html, or under HEAN_HOME
  hean report --home /srv/hean --output today.html
  hean report --json                            {"report": "/srv/hean/report/index.html", "bytes": 412345}
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report` to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="build one HTML page: forecast skill, trades, matrix, data coverage",
        description="Build one self-contained HTML page with plots: forecast skill by horizon and model against baselines, "
        "forecast against realised, calibration, study E1, equity and trades, live forecasts, the regime matrix and "
        "data coverage.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--home", type=Path, help="state folder (default: HEAN_HOME, or var)")
    parser.add_argument("--output", type=Path, help="file to write (default: <home>/report/index.html)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the path")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build the page and print where it is; returns the exit code."""
    from hean_pipelines.report.build import build_report
    from hean_pipelines.settings import load_settings
    from models.errors import ConfigError

    home = load_settings(home=args.home).home
    if not home.is_dir():
        raise ConfigError(
            f"{home} should be a state folder, was absent",
            remedy="run `hean demo` to make one, or point --home or HEAN_HOME at one",
        )
    path = build_report(home, args.output).absolute()
    print(json.dumps({"report": str(path), "bytes": path.stat().st_size}) if args.json else path)
    return 0
