"""`hean tournament`: every strategy over long synthetic markets, held against the planted truth.

Here belong the options and what is printed. The work is in `hean_pipelines.tournament`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_DESCRIPTION = """\
Run every strategy over slow synthetic markets: where the effect it is about is planted alone, where all effects are, and where
there is nothing to earn. The table says what each made a trade after costs, with an interval, and whether it found its effect.
"""
_EPILOG = """\
examples:
  hean tournament                                     90 days of five symbols; the first run compiles for a minute or two
  hean tournament --days 10 --own-days 5 --symbols BTCUSDT,XRPUSDT
  hean tournament --strategies S8,S11,S12 --days 30 --json

The same arguments give the same JSON, byte for byte, in <home>/tournaments/. A run that was interrupted goes on where it was when
it is begun again: markets that were done are kept. Nothing here licenses a trade: docs/promotion.md.
exit codes: 0 done, 2 wrong option, 7 more was under way than fits.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "tournament",
        help="run all strategies over long synthetic markets, against the planted truth",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--days", type=float, default=90.0, metavar="N", help="of null and everything (default %(default)s)")
    add(
        "--own-days",
        type=float,
        default=10.0,
        metavar="N",
        help="of each effect alone; 0 leaves them out (default %(default)s)",
    )
    add("--symbols", type=_listed, metavar="A,B", help="(default: all five presets)")
    add("--strategies", type=_listed, metavar="A,B", help="names or ids (default: all)")
    add("--seed", type=int, default=1, help="(default %(default)s)")
    add(
        "--capital",
        type=float,
        default=10_000.0,
        metavar="USD",
        help="of each strategy (default %(default)s)",
    )
    add("--processes", type=int, default=2, metavar="N", help="(default %(default)s)")
    add("--out", type=Path, metavar="DIR", help="folder to write to (default: under <home>/tournaments)")
    add("--dry-run", action="store_true", help="say what would be run, run nothing")
    add("--json", action="store_true", help="print one JSON object instead of the table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print what came of it; returns the exit code."""
    import time

    from hean_pipelines.settings import load_settings
    from hean_pipelines.tournament.document import document_of
    from hean_pipelines.tournament.parts import Parts
    from hean_pipelines.tournament.processes import run_tournament
    from hean_pipelines.tournament.run import plan_tasks
    from hean_pipelines.tournament.save import folder_name, save_tournament
    from models.simulation.slow_market.symbols import SYMBOLS
    from models.strategies.catalogue import CATALOGUE, entry_of

    names = [entry_of(name).name for name in args.strategies or CATALOGUE]
    symbols = args.symbols or list(SYMBOLS)
    tasks = plan_tasks(names, symbols, args.days, args.own_days, args.seed, args.capital)
    folder = (args.out or load_settings().home / "tournaments" / folder_name(tasks)).absolute()
    if args.dry_run:
        _print_plan(tasks, folder, args.json)
        return 0
    started = time.monotonic()
    parts = Parts(folder)
    with _progress() as on_progress:
        done = run_tournament(tasks, args.processes, on_progress, parts)
    seconds = time.monotonic() - started
    document = document_of(done, args.seed)
    saved = save_tournament(document, folder, seconds)
    parts.drop()
    if args.json:
        print(json.dumps({"report": str(saved.page), "json": str(saved.json), "took_s": seconds, **document}))
        return 0
    from rich.console import Console

    from hean_pipelines.tournament.page import terminal_table

    console = Console(soft_wrap=True, highlight=False, width=140)
    console.print(terminal_table(document))
    console.print(
        f"{document['symbol_days']:,g} days of a symbol, {document['events']:,} events, {seconds:.0f} s"
    )
    console.print(f"json:   {saved.json}", markup=False)
    console.print(f"report: {saved.page}", markup=False)
    return 0


def _print_plan(tasks: list[Any], folder: Path, as_json: bool) -> None:
    if as_json:
        rows = [vars(task) | {"names": list(task.names)} for task in tasks]
        print(json.dumps({"folder": str(folder), "markets": rows}))
        return
    from hean_pipelines.report.text import plural

    for task in tasks:
        held = plural(len(task.names), "strategy", "strategies")
        print(f"{task.symbol} {task.scenario}: {task.days:g} days, {held}")
    print(
        f"{sum(task.days for task in tasks):g} days of a symbol in {len(tasks)} markets; would write {folder}"
    )


@contextmanager
def _progress() -> Iterator[Any]:
    from hean_pipelines.commands.backtest import shown_progress

    with shown_progress() as tell:
        tell("loading code (compiling takes a minute or two the first time)", 0.0)
        yield tell


def _listed(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"expected names divided by commas, was {text!r}")
    return [part.upper() if part.lower() == part and part.endswith("usdt") else part for part in found]
