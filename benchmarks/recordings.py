"""Every strategy on real recordings: what it traded, or why it did not.

    python -m benchmarks.recordings [PATH ...] [--capital USD]

prints one JSON object (progress to standard error). Paths are files or folders of recordings; without any, those beside the
checkout. All strategies run over each tape at once, each on an account of its own, with the features, steps and fill model of
`hean backtest` and an alpha tick every 250 ms: a bank of all gives what each gives alone.

- ``strategies``: by name ``trades``, ``net_bps`` (mean over all tapes, null without trades), ``hours`` of tape that hold what it
  needs, ``why`` (null where it traded), and ``tapes`` with the same for each.
- ``missing`` of a tape: what the strategy needs and the tape does not hold; such hours do not count.

Minutes of tape conclude nothing about profit: they show that steps and fills live with real messages.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

import numpy as np  # noqa: E402

from hean_pipelines.backtest.document import missing_of  # noqa: E402
from hean_pipelines.backtest.plan import LEVERAGE  # noqa: E402
from hean_pipelines.studies.recordings import find_recordings, open_tapes  # noqa: E402
from hean_pipelines.studies.tapes import Tape  # noqa: E402
from models.market.feature_params import params_record  # noqa: E402
from models.market.tape_report import TapeCheck  # noqa: E402
from models.simulation.backtest.records import BacktestParameters  # noqa: E402
from models.simulation.bank.records import BankParameters, unknown_outlooks  # noqa: E402
from models.simulation.bank.run import BankRun, Record  # noqa: E402
from models.simulation.bank.scores import score_of  # noqa: E402
from models.simulation.bank.steps import record_of  # noqa: E402
from models.simulation.fills.parameters import FillParameters  # noqa: E402
from models.strategies.catalogue import CATALOGUE, Entry  # noqa: E402

BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "streams"


def say(text: str) -> None:
    """Report progress to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure(paths: list[Path], capital_usd: float) -> dict[str, Any]:
    """Run every strategy over every recording found.

    Returns
    -------
    dict
        As the module says.

    """
    recordings, passed_over = find_recordings(paths)
    tapes: list[dict[str, Any]] = []
    for recording in recordings:
        for tape in open_tapes(recording):
            say(f"{recording.name}, {tape.market.symbol}")
            tapes.append(_one_tape(tape, capital_usd))
    return {
        "capital_usd": capital_usd,
        "tapes": [{key: tape[key] for key in ("name", "files", "hours", "events")} for tape in tapes],
        "passed_over": passed_over,
        "strategies": {name: _together(name, tapes) for name in CATALOGUE},
    }


def _one_tape(tape: Tape, capital_usd: float) -> dict[str, Any]:
    # Seed and leverage are the command's.
    venue = FillParameters(tape.tick_size, tape.lot_size, seed=1, leverage=LEVERAGE)
    parameters, features = BankParameters(BacktestParameters(capital_usd)), params_record(tape.features())
    run = BankRun(tuple(CATALOGUE), venue, parameters, feature_params=features)
    check = TapeCheck()
    for chunk in tape.chunks():
        check.update(chunk)
        run.take(chunk)
    report, records = check.report(), run.finish()
    rows = {}
    for name, entry in CATALOGUE.items():
        missing = missing_of(entry, report.counts, knows_outlooks=False)
        rows[name] = {"trips": records[name].trips, "missing": missing}
        rows[name] |= {"why": _why(entry, records[name], missing, run)}
    market = tape.market
    return {
        "name": market.name,
        "files": list(market.files),
        "hours": market.hours,
        "events": report.events,
        "rows": rows,
    }


def _why(entry: Entry, record: Record, missing: list[str], run: BankRun) -> str | None:
    """Say why there was no trade; None where there was one."""
    results = record.results
    if len(record.trips):
        return None
    if missing:
        return f"the tape holds no {', no '.join(missing)}"
    if len(results.fills):
        return "a position was open when the tape ended"
    if len(results.orders) or results.dropped:
        return f"{len(results.orders)} orders, none filled; {results.dropped} below one lot"
    market, state = run.symbols["market"][0], run.bank.states[entry.name][0]
    outlook = (unknown_outlooks()[0],) if entry.asks_outlook else ()
    said = entry.step(market, *outlook, record_of(run.params)[entry.name], state)
    return f"never wanted to; at the last tick it said: {entry.reasons[int(said.reason)]}"


def _together(name: str, tapes: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [tape["rows"][name] for tape in tapes]
    trips = [row["trips"] for row in rows]
    score = score_of(np.concatenate(trips)) if trips else None
    able = [tape["hours"] for tape, row in zip(tapes, rows, strict=True) if not row["missing"]]
    whys = sorted({row["why"] for row in rows if row["why"]})
    traded = score is not None and score.trades > 0
    return {
        "trades": 0 if score is None else score.trades,
        "net_bps": None if score is None else score.net_bps,
        "net_bps_interval": None if score is None else [score.low_bps, score.high_bps],
        "hours": round(sum(able), 4),
        "why": None if traded else "; ".join(whys),
        "tapes": {
            tape["name"]: {
                "trades": len(row["trips"]),
                "net_bps": score_of(row["trips"]).net_bps,
                "missing": row["missing"],
                "why": row["why"],
            }
            for tape, row in zip(tapes, rows, strict=True)
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (default: beside the checkout)")
    parser.add_argument(
        "--capital", type=float, default=10_000.0, help="of each strategy, USD (default %(default)s)"
    )
    args = parser.parse_args()
    print(json.dumps(measure(args.paths or [BESIDE], args.capital)))


if __name__ == "__main__":
    main()
