"""`hean demo`: the whole road in a few minutes. Arguments and printing; the road is `hean_pipelines.demo`."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Walk the whole road on a market of your own: a local testnet comes up, its history is ingested, marts and features are built,
every candidate forecasts out of sample, the best is registered and promoted, the executor trades it for some settlements
while the learning job feeds its trades back, and one HTML page shows it all. Ends by itself and leaves no process behind.
"""

_EPILOG = """\
examples:
  hean demo
  hean demo --market recorded:../shared/data/history --symbols BTCUSDT,ETHUSDT,SOLUSDT
  hean demo --days 120 --settlements 6 --speed 600
  HEAN_HOME=var/demo hean dev            afterwards: look at it in Dagster's and MLflow's pages

Everything is under HEAN_HOME/demo: summary.json, predictions.parquet, report/index.html, logs/. The folder is emptied by the
next demo. exit codes: 0 done, 1 a command failed (its log is named), 2 wrong option.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole road on a synthetic or recorded market, in a few minutes",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--market", default="synthetic", help="synthetic or recorded:FOLDER (default %(default)s)"
    )
    parser.add_argument(
        "--symbols", metavar="A,B", help="comma-separated (default: five, or all a recording allows)"
    )
    parser.add_argument(
        "--days", type=int, default=75, help="days of synthetic history (default %(default)s)"
    )
    parser.add_argument(
        "--settlements",
        type=int,
        default=6,
        help="settlements to trade through; 0: none (default %(default)s)",
    )
    parser.add_argument(
        "--speed", type=float, default=1200.0, help="market seconds a second (default %(default)s)"
    )
    parser.add_argument("--equity", help="USDT in the account (default 500, on a recording 10000)")
    parser.add_argument(
        "--seed", type=int, default=7, help="seed of the synthetic market (default %(default)s)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Walk the road and print what came of it; returns the exit code."""
    import time

    from rich.console import Console

    from hean_pipelines.demo.plan import make_plan
    from hean_pipelines.demo.road import Road
    from hean_pipelines.demo.summary import people_table
    from hean_pipelines.settings import load_settings

    console = Console(soft_wrap=True, highlight=False, width=120)
    symbols = tuple(s.strip().upper() for s in args.symbols.split(",") if s.strip()) if args.symbols else None
    plan = make_plan(
        args.market,
        symbols,
        days=args.days,
        speed=args.speed,
        settlements=args.settlements,
        equity_usd=args.equity,
        seed=args.seed,
    )
    home = load_settings().home / "demo"
    console.print(
        f"market {plan.market}, {', '.join(plan.symbols)}, {plan.first_day} to {plan.now:%Y-%m-%d %H:%M} UTC, "
        f"{plan.equity_usd} USDT, in {home}"
    )
    if args.dry_run:
        return 0
    started = time.monotonic()
    told = lambda words: console.print(f"[{time.monotonic() - started:6.1f} s] {words}", markup=False)  # noqa: E731
    summary = Road(home, plan, told).run()
    console.print()
    console.print(people_table(summary))
    console.print(
        f"champion: {summary['champion']['name']}, version {summary['champion']['version']} of "
        f"{summary['champion']['registered_model']} ({summary['champion']['reason']})"
    )
    console.print(
        f"executor: {summary['signals']} signals, {summary['orders']} orders, {summary['fills']} fills, "
        f"{summary['live_trades']} live and {summary['shadow_trades']} shadow trades; blocks: {summary['blocks'] or 'none'}"
    )
    console.print(f"took {time.monotonic() - started:.0f} s")
    console.print(f"summary: {home / 'summary.json'}")
    console.print(f"report:  {summary['report']}")
    return 0
