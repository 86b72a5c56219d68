"""`hean study`: run the studies on a synthetic market or on recordings. Arguments and printing.

The studies are `hean_pipelines.studies`; the same ones run as assets of the job `evidence`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from hean_pipelines.studies.catalogue import Study
    from hean_pipelines.studies.outcome import Outcome
    from hean_pipelines.studies.power import Share
    from hean_pipelines.studies.tapes import OnHours, Tape

_EPILOG = """\
A study passes, fails, or says "not enough data" with the reason. On the synthetic market each study runs on a market with its
truth planted, and on a null beside it. Pictures and JSON go to <home>/report/studies/.

examples:
  hean study --list
  hean study E5                                     planted truth and null, seed 1
  hean study E3 --seeds 40                          size and power over 40 seeds
  hean study strategy:momentum_trader --market slow the first step of a strategy: does what it lives on follow its signals?
  hean study strategy:all                           of every strategy, each on its planted slow market and the null
  hean study strategy:S14 --market bars             on the 5-minute bars of the lake, for S1, S2, S14 to S18
  hean study --market recorded --tape recordings/   every tape in a folder
  hean study E5 --tape BTCUSDT_2025-06-01.jsonl.zst

exit codes: 0 done (whatever the verdicts), 2 wrong option or setting, 7 a recording could not be read.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "study",
        help="run the studies that decide what may trade (E2, E3, E5, E6, E7)",
        description="Run studies on a synthetic market with known truth, or on recorded tapes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name",
        nargs="?",
        default="all",
        metavar="NAME",
        help="E2, E3, E5, E6, E7 or all (default); strategy:NAME, strategy:S9 or strategy:all for first steps",
    )
    parser.add_argument(
        "--market",
        choices=("synthetic", "slow", "bars", "recorded"),
        help="default: recorded where --tape is given, else synthetic, which for strategies is the slow market; bars: those of "
        "the lake",
    )
    parser.add_argument(
        "--tape",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="files or folders of recordings (default: HEAN_PIPELINES_RECORDINGS)",
    )
    parser.add_argument(
        "--days", type=float, help="length of the synthetic market (default: the study's own)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic market (default: 1)")
    parser.add_argument("--seeds", type=int, metavar="N", help="size and power over seeds 1 to N instead")
    parser.add_argument("--list", action="store_true", help="print what the studies ask, run nothing")
    parser.add_argument("--home", type=Path, help="state folder (default: HEAN_HOME, or var)")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON on standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the studies and print what they say; returns the exit code."""
    from hean_pipelines.settings import load_settings
    from hean_pipelines.studies.catalogue import studies_named

    if args.list:
        _print_list()
        return 0
    studies = studies_named(args.name)
    _check(args)
    settings = load_settings(home=args.home)
    folder = settings.home / "report" / "studies"
    if args.seeds:
        return _run_seeds(args, studies, folder)
    outcomes = _run_markets(args, studies, settings, folder)
    if args.json:
        print(json.dumps([outcome.to_json() for outcome in outcomes]))
    else:
        _print_outcomes(outcomes)
        print(folder)
    return 0


def _check(args: argparse.Namespace) -> None:
    from models.errors import ConfigError

    if args.days is not None and not 0.0 < args.days <= 366.0:
        raise ConfigError(f"--days: expected more than 0 and at most 366, was {args.days}")
    if args.seeds is not None and args.seeds < 1:
        raise ConfigError(f"--seeds: expected at least 1, was {args.seeds}")
    if args.seed < 0:
        raise ConfigError(f"--seed: expected at least 0, was {args.seed}")
    recorded = args.market in ("recorded", "bars") or (args.market is None and args.tape)
    if args.market in ("synthetic", "slow", "bars") and args.tape:
        raise ConfigError(f"--tape is for recorded markets, was given with --market {args.market}")
    if args.market in ("slow", "bars") and ":" not in args.name:
        raise ConfigError(
            f"--market {args.market} is for strategies, was given with {args.name}",
            remedy="hean study strategy:NAME",
        )
    if recorded and (args.days is not None or args.seeds is not None):
        raise ConfigError("--days and --seeds are for the synthetic market, were given with recordings")


def _run_markets(
    args: argparse.Namespace, studies: Sequence[Study], settings: PipelineSettings, folder: Path
) -> list[Outcome]:
    from hean_pipelines.studies.session import bar_tapes, recorded_tapes, run_on_tapes, save, synthetic_tapes
    from models.errors import ConfigError

    recorded: list[Tape] = []
    if args.market == "recorded" or args.tape:
        paths = args.tape or ([settings.recordings] if settings.recordings else [])
        if not paths:
            raise ConfigError(
                "recorded market: expected --tape or the setting recordings, was neither",
                remedy="hean study --tape FOLDER, or set HEAN_PIPELINES_RECORDINGS",
            )
        recorded, passed_over = recorded_tapes(paths)
        _say(passed_over)
    hours = 24.0 * args.days if args.days is not None else None
    if args.market == "bars":
        # Of all, those that bars can answer; one that they cannot says so.
        studies = [study for study in studies if study.bars is not None] or studies

    def tapes_of(study: Study) -> list[Tape]:
        if args.market == "bars":
            return bar_tapes(study, settings.lake_root, settings.venue_url)
        return recorded or synthetic_tapes(study, args.seed, hours)

    found: list[Outcome] = []
    with _hours_progress() as on_tape:
        for study in studies:
            outcomes = run_on_tapes(study, tapes_of(study), on_tape)
            save(study, outcomes, folder)
            found += outcomes
    return found


def _run_seeds(args: argparse.Namespace, studies: Sequence[Study], folder: Path) -> int:
    from dataclasses import asdict

    from hean_pipelines.studies.power import size_and_power
    from hean_pipelines.studies.session import write_json

    shares: list[Share] = []
    with _seeds_progress(2 * args.seeds * len(studies)) as on_seed:
        for study in studies:
            hours = 24.0 * args.days if args.days is not None else study.hours
            own = size_and_power(study, args.seeds, hours, on_seed(study.name))
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / f"{study.name.lower()}_power.json", [asdict(share) for share in own])
            shares += own
    if args.json:
        print(json.dumps([asdict(share) for share in shares]))
    else:
        _print_shares(shares)
        print(folder)
    return 0


def _print_list() -> None:
    from hean_pipelines.studies.catalogue import ELSEWHERE, FIRST_STEPS, STUDIES

    for study in STUDIES.values():
        print(f"{study.name}  {study.asks}")
        print(f"    asset {study.asset}; {study.hours:g} h of synthetic market")
    for name, words in ELSEWHERE.items():
        print(f"{name}  {words}")
    for name, study in FIRST_STEPS.items():
        print(f"strategy:{name} ({study.name})  {study.asks}")
        print(f"    asset {study.asset}; {study.hours / 24.0:g} days of slow market")


def _print_outcomes(outcomes: Sequence[Outcome]) -> None:
    rows = []
    for outcome in outcomes:
        first = outcome.figures[0]
        estimate = f"{first.estimate:.3g} [{first.low:.3g}, {first.high:.3g}]" if first.is_known else ""
        rows.append(
            (outcome.study, outcome.market.name, outcome.verdict, estimate, str(first.n), outcome.reason)
        )
    _print_table(("study", "market", "verdict", "figure", "n", "why"), rows)


def _print_shares(shares: Sequence[Share]) -> None:
    rows = []
    for share in shares:
        alone = "" if share.thresholds_alone is None else str(share.thresholds_alone)
        interval = f"{share.passed / share.seeds:.2f} [{share.low:.2f}, {share.high:.2f}]"
        counted = (share.seeds, share.passed, share.failed, share.not_enough)
        rows.append(
            (share.study, share.market, f"{share.hours:g}", *map(str, counted), interval, alone, share.words)
        )
    columns = ("study", "market", "hours", "seeds", "passed", "failed", "not enough data", "share of passes")
    _print_table((*columns, "thresholds alone", "planted"), rows)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    # Into a file or a pipe, cells are printed whole.
    Console(width=None if sys.stdout.isatty() else 400, markup=False).print(table)


def _say(passed_over: Sequence[str]) -> None:
    import sys

    shown = 10
    for line in passed_over[:shown]:
        print(f"passed over: {line}", file=sys.stderr)
    if len(passed_over) > shown:
        print(f"passed over: {len(passed_over) - shown} more files", file=sys.stderr)


@contextmanager
def _hours_progress() -> Iterator[Callable[[Study, Tape], OnHours | None]]:
    """Show a bar a tape, in hours of market, where somebody looks; a line a tape where not."""
    import sys

    if not sys.stderr.isatty():

        def line(study: Study, tape: Tape) -> None:
            print(f"{study.name}: {tape.market.name} ({tape.market.hours:.3g} h)", file=sys.stderr)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def bar(study: Study, tape: Tape) -> OnHours:
            words = f"{study.name} {tape.market.name.split(':')[0]}"
            task = bars.add_task(words, total=tape.market.hours)
            return lambda hours: bars.update(task, advance=hours)

        yield bar


@contextmanager
def _seeds_progress(total: int) -> Iterator[Callable[[str], Callable[[str, int], None]]]:
    """Show how many markets are done."""
    from hean_pipelines.commands.progress import step_progress

    with step_progress("study") as on_step:
        done = 0

        def of_study(name: str) -> Callable[[str, int], None]:
            def told(which: str, seed: int) -> None:
                nonlocal done
                done += 1
                on_step(f"{name} {which}, seed {seed}", done, total)

            return told

        yield of_study
