"""`hean backtest`: a strategy over a tape, and what came of it. Arguments and printing; the run is `hean_pipelines.backtest`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hean_pipelines.backtest.plan import Plan
    from hean_pipelines.backtest.save import Saved

_DESCRIPTION = """\
Run a strategy over a market, with the features, the strategy step and the fill model the executor uses, and write one HTML page
with its figures, drawings and assumptions, and a JSON file with everything on it.

Every round trip is then judged by the gates the executor would have asked about its signal: what they would have let through, and
what each of them cost or saved. That is a second pass over the tape, about as long as the first; --no-gates leaves it out.

The market is synthetic (known truth, any number of days, seeded) or recorded (files, streamed in the order given).
"""

_EPILOG = """\
examples:
  hean backtest --list                                     strategies, their parameters, what they need
  hean backtest --strategy impact_reversion --days 1
  hean backtest --strategy S6 --days 30 --seed 7 --capital 300
  hean backtest --strategy S5 --days 3 --scenario null     the same market with nothing planted: it must not earn
  hean backtest --strategy S5 --days 1 --set least_impact_bps=3 --set time_out_ns=8000000000
  hean backtest --strategy S5 --days 1 --latency-ms 20,20 --fees 0.0002,0.00055 --queue power
  hean backtest --strategy S8 --days 3 --no-gates          the strategy alone, without the pass that asks the gates
  hean backtest --strategy S5 --market recorded --symbol BTCUSDT --tape 01.jsonl.zst --tape 02.jsonl.zst

Sizes are shares of the capital. On 500 USD one lot of BTCUSDT is more than a strategy may spend; the page then says so and from
which capital on it would trade. The default contract, XRPUSDT, has small lots. Capacity is compared on at most the first 5 days.
The same arguments give the same JSON, byte for byte, in <home>/backtests/<strategy>-<symbol>-<market>-<digest>/.
exit codes: 0 done, 1 the pass for the gates traded otherwise (a fault of HEAN), 2 wrong option, 7 the tape is broken, too short
or without trades, or more was under way than fits.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "backtest",
        help="run a strategy over a synthetic or recorded market: HTML report and JSON",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--strategy", metavar="NAME", help="name or id, as --list shows them")
    add("--days", type=float, metavar="N", help="days of market (default: 1, slow 30, all of a recording)")
    add("--list", action="store_true", help="list the strategies and stop")
    _add_market(parser)
    _add_account(parser)
    add(
        "--no-gates",
        action="store_true",
        help="do not ask the gates about the round trips: one pass over the tape less",
    )
    add("--out", type=Path, metavar="DIR", help="folder to write to (default: under <home>/backtests)")
    add("--dry-run", action="store_true", help="say what would be run, run nothing")
    add("--json", action="store_true", help="print one JSON object instead of the table")
    parser.set_defaults(run=run)


def _add_market(parser: argparse.ArgumentParser) -> None:
    market = parser.add_argument_group("market")
    market.add_argument(
        "--market",
        choices=("synthetic", "slow", "recorded"),
        help="synthetic: order by order; slow: seconds, for weeks and months, with forecasts and other markets "
        "(default: the one that can hold the strategy's effect)",
    )
    market.add_argument("--symbol", metavar="SYMBOL", help="contract (default XRPUSDT; a recording needs it)")
    market.add_argument(
        "--scenario",
        help="synthetic and slow: what is planted; null, everything, and one per effect (default: everything, and in the "
        "slow market the strategy's own effect; docs/synthetic_market.md, docs/slow_market.md)",
    )
    market.add_argument(
        "--seed", type=int, default=1, help="of the synthetic market and the latencies (default %(default)s)"
    )
    market.add_argument(
        "--tape",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="recorded: a file; may be repeated, in order",
    )
    market.add_argument("--format", default="bybit", metavar="FORMAT", help=_FORMAT_HELP)
    market.add_argument("--tick-size", type=float, metavar="USD", help="recorded: price step of the contract")
    market.add_argument(
        "--lot-size", type=float, metavar="BASE", help="recorded: quantity step of the contract"
    )


def _add_account(parser: argparse.ArgumentParser) -> None:
    account = parser.add_argument_group("account and venue")
    account.add_argument("--capital", type=float, default=500.0, metavar="USD", help="(default %(default)s)")
    account.add_argument(
        "--set",
        action="append",
        type=_change,
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of the strategy; may be repeated",
    )
    account.add_argument(
        "--latency-ms",
        type=_pair,
        metavar="IN,OUT",
        help="fixed latencies (default: lognormal, 50 to 150 ms each way)",
    )
    account.add_argument(
        "--fees", type=_pair, metavar="MAKER,TAKER", help="fractions of the value (default 0.0002,0.00055)"
    )
    account.add_argument(
        "--queue",
        default="risk_adverse",
        metavar="MODEL",
        help="queue position: risk_adverse, power, power_2, power_3, log, log_2 (default %(default)s)",
    )
    account.add_argument(
        "--capacity",
        type=_numbers,
        metavar="A,B",
        help="multiples of the capital to compare (default 1,30,1000,30000; 1 leaves it out)",
    )


_FORMAT_HELP = (
    "recorded: bybit, bybit-order-book, bybit-trades, binance, binance-trades, cryptofeed-linear or cryptofeed-spot "
    "(default %(default)s)"
)


def run(args: argparse.Namespace) -> int:
    """Run and print what came of it; returns the exit code."""
    import time

    from hean_pipelines.settings import load_settings
    from models.errors import ConfigError

    if args.list:
        return _list(args.json)
    if args.strategy is None:
        raise ConfigError(
            "backtest: expected --strategy, was none", remedy="`hean backtest --list` shows what there is"
        )
    plan = _plan(args)
    folder = (args.out or load_settings().home / "backtests" / plan.folder()).absolute()
    if args.dry_run:
        _print_plan(plan, folder, args.json)
        return 0
    from hean_pipelines.backtest.document import document_of
    from hean_pipelines.backtest.run import run_backtest
    from hean_pipelines.backtest.save import save_backtest

    started = time.monotonic()
    with shown_progress() as on_progress:
        outcome = run_backtest(plan, on_progress)
        document = document_of(outcome)
    saved = save_backtest(document, folder, time.monotonic() - started)
    if args.json:
        body = {
            "report": str(saved.page),
            "json": str(saved.json),
            **{key: document[key] for key in ("plan", "figures", "gates")},
        }
        print(json.dumps(body))
    else:
        _print_outcome(document, saved, time.monotonic() - started, outcome.gates_s)
    return 0


def _plan(args: argparse.Namespace) -> Plan:
    from hean_pipelines.backtest.plan import DEFAULT_CAPACITY, make_plan

    return make_plan(
        args.strategy,
        market=args.market,
        days=args.days,
        symbol=args.symbol.upper() if args.symbol else None,
        scenario=args.scenario,
        seed=args.seed,
        tapes=args.tape,
        tape_format=args.format,
        capital_usd=args.capital,
        changes=dict(args.set),
        latency_ms=args.latency_ms,
        fees=args.fees,
        queue=args.queue,
        steps=(args.tick_size, args.lot_size),
        capacity=args.capacity or DEFAULT_CAPACITY,
        gates=not args.no_gates,
    )


def _list(as_json: bool) -> int:
    from models.strategies.catalogue import CATALOGUE

    if as_json:
        rows = [
            {
                "name": e.name,
                "system": e.system,
                "summary": e.summary,
                "needs": e.needs,
                "parameters": e.params()._asdict(),
            }
            for e in CATALOGUE.values()
        ]
        print(json.dumps(rows))
        return 0
    for entry in CATALOGUE.values():
        print(f"{entry.name} ({entry.system}): {entry.summary}")
        print(f"    needs {', '.join(entry.needs)}")
        print(f"    {_settings(entry.params()._asdict())}")
    return 0


def _print_plan(plan: Plan, folder: Path, as_json: bool) -> None:
    facts = plan.facts()
    if as_json:
        print(json.dumps({"folder": str(folder), "plan": facts}))
        return
    print(f"{facts['strategy']} ({facts['system']}) on {plan.symbol}, {plan.market}, {_length(plan)}")
    print(f"parameters: {_settings(facts['parameters'])}")
    print(f"venue: {_settings(facts['venue'])}")
    print(f"capital: {plan.capital_usd:g} USD, compared at {', '.join(f'{m:g}x' for m in plan.capacity)}")
    print(f"gates: {'asked in a second pass over the tape' if plan.gates else 'not asked'}")
    print(f"would write to {folder}")


def _settings(given: dict[str, Any]) -> str:
    return ", ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in given.items())


def _length(plan: Plan) -> str:
    if plan.market != "recorded":
        return f"days {plan.days:g}, scenario {plan.scenario}, seed {plan.seed}"
    length = "all there is" if plan.days is None else f"the first {plan.days:g} days"
    return f"{length} of {', '.join(path.name for path in plan.tapes)}"


def _print_outcome(document: dict[str, Any], saved: Saved, seconds: float, gates_s: float) -> None:
    from rich.console import Console

    from hean_pipelines.report.backtest.terminal import headline_table, remarks

    console = Console(soft_wrap=True, highlight=False, width=120)
    console.print(headline_table(document))
    for words in remarks(document):
        console.print(words, markup=False)
    asked = f", {gates_s:.1f} s of it asking the gates" if document["gates"] is not None else ""
    console.print(f"took {seconds:.1f} s{asked}")
    console.print(f"json:   {saved.json}", markup=False)
    console.print(f"report: {saved.page}", markup=False)


@contextmanager
def shown_progress() -> Iterator[Callable[[str, float], None]]:
    """Show a bar while the block runs, where somebody looks; yields a function of what is being done and the share done."""
    if not sys.stderr.isatty():
        yield lambda _what, _share: None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.description}"),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=1.0)
        yield lambda what, share: bars.update(task, completed=share, description=what)


def _change(text: str) -> tuple[str, str]:
    name, sign, given = text.partition("=")
    if not sign or not name.strip() or not given.strip():
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, was {text!r}")
    return name.strip(), given.strip()


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers separated by commas, was {text!r}") from None


def _pair(text: str) -> tuple[float, float]:
    found = _numbers(text)
    if len(found) != 2:
        raise argparse.ArgumentTypeError(f"expected two numbers separated by a comma, was {text!r}")
    return found[0], found[1]
