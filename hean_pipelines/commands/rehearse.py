"""`hean rehearse`: arguments and printing; the rehearsal is `hean_pipelines.rehearsal`."""

from __future__ import annotations

import argparse
from pathlib import Path

_DESCRIPTION = """\
Live a day of trading on the local testnet in minutes: a market tick by tick at many times real time, the history ingested and
trained on, the executor with streams and every strategy, the learning loop every four hours of market, a kill -9 and a start
over it, the kill switch tripped, seen to close everything, seen to stay off over a restart and armed again, trades by hand on
the same account, and SIGTERM. Then the ledger is held against the venue's wallet and every decision is made again.
"""

_EPILOG = """\
examples:
  hean rehearse                                 24 hours at 65 times real time: 22 minutes, ingest and training before
  hean rehearse --hours 1 --days 0              a minute and a half, without a model
  hean rehearse --hours 2 --days 0 --equity 300 --no-synthetic-evidence
                                                a cold start of a small account: everything shadows and says why
  hean rehearse --json --home /tmp/rehearsal

Everything is under --home (default HEAN_HOME/rehearsal): journal, inputs, tape, logs/, rehearsal.json. The folder is emptied by
the next rehearsal. exit codes: 0 all held, 1 a step failed (its log is named), 2 wrong option, 7 the ledger does not
reconcile, the replay differs, or with a model the kill switch never found a position to close.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "rehearse",
        help="live a day of trading on the local testnet in minutes, accidents included",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hours", type=float, default=24.0, help="market hours (default %(default)s)")
    parser.add_argument(
        "--speed", type=float, default=65.0, help="market seconds a second (default %(default)s)"
    )
    parser.add_argument("--symbols", metavar="A,B", help="comma-separated (default BTCUSDT,WIFUSDT)")
    parser.add_argument(
        "--days",
        type=int,
        default=75,
        help="days of history to train on; 0: no model (default %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of the market (default %(default)s)")
    parser.add_argument(
        "--learn-every",
        type=float,
        default=4.0,
        metavar="H",
        help="market hours between runs of the learning loop (default %(default)s)",
    )
    parser.add_argument(
        "--equity",
        type=float,
        default=10_000.0,
        metavar="USD",
        help="in the account at the start, and of each shadow (default %(default)s)",
    )
    parser.add_argument(
        "--synthetic-evidence",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let evidence from synthetic markets count and pin strategies live without any, so that more than S1 is seen to"
        " trade; says nothing about what they earn",
    )
    parser.add_argument("--home", type=Path, metavar="DIR", help="folder (default HEAN_HOME/rehearsal)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Rehearse and print what came of it; returns the exit code."""
    import json
    import time

    from rich.console import Console

    from hean_pipelines.rehearsal import strategies
    from hean_pipelines.rehearsal.plan import empty_home, make_plan
    from hean_pipelines.rehearsal.results import table
    from hean_pipelines.rehearsal.run import Rehearsal
    from hean_pipelines.settings import load_settings

    symbols = tuple(s.strip().upper() for s in args.symbols.split(",") if s.strip()) if args.symbols else None
    plan = make_plan(
        args.hours,
        args.speed,
        symbols,
        days=args.days,
        seed=args.seed,
        learn_every_h=args.learn_every,
        equity_usd=args.equity,
        synthetic_evidence=args.synthetic_evidence,
    )
    home = (args.home or load_settings().home / "rehearsal").resolve()
    empty_home(home)
    told = Console(soft_wrap=True, highlight=False, width=120, stderr=True)
    started = time.monotonic()
    result = Rehearsal(
        home,
        plan,
        lambda words: told.print(f"[{time.monotonic() - started:6.1f} s] {words}", markup=False),
    ).run()
    if args.json:
        print(json.dumps(result))
    else:
        shown = {name: value for name, value in result.items() if name not in ("ledger", "strategies")}
        shown["policies"] = [
            {k: v for k, v in each.items() if k != "strategies"} for each in result["policies"]
        ]
        console = Console(highlight=False, width=120)
        console.print(strategies.table(result["strategies"]))
        console.print(table(shown))
    closed = bool(result["closed_by_kill_switch"]) or not plan.days
    return 0 if result["ledger_reconciles"] and result["replay_identical"] and closed else 7
