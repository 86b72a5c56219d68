"""E7 on a tape: whether the best configuration of S5 and S6 was found, or merely chosen among many.

Three questions, each of which must be answered well: deflated Sharpe ratio, probability of backtest overfitting, and what the
choice earns out of sample in purged, embargoed cross-validation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.outcome import NOT_KNOWN, Balance, Figure, Outcome, figure_of
from hean_pipelines.studies.tapes import OnHours, Tape
from hean_pipelines.studies.variants import (
    HOUR_NS,
    LEAST_PERIOD_NS,
    PERIODS,
    Trials,
    all_variants,
    run_variants,
)

if TYPE_CHECKING:
    from models.evidence.overfitting_study import OverfittingStudy
    from models.evidence.selection import SelectionStudy

STUDY = "E7"
HOURS = 12.0
_BPS = 1e4


def run(tape: Tape, on_hours: OnHours | None = None) -> Outcome:
    """Run E7 on a tape; one too short for the periods needed is not backtested at all."""
    from models.evidence.overfitting_study import BLOCKS, LEAST_ROWS_PER_BLOCK

    periods, least = round(tape.market.hours * HOUR_NS) // LEAST_PERIOD_NS, BLOCKS * LEAST_ROWS_PER_BLOCK
    if periods < least:
        return _too_short(tape, periods, least)
    trials = run_variants(tape, on_hours)
    traded = [
        i
        for i, fills in enumerate(trials.fills)
        if fills and len(trials.returns) and trials.returns[:, i].any()
    ]
    verdict, reason, figures, details = _judge(trials, traded)
    rows = [_row(trials, i) for i in range(len(trials.variants))]
    strategies = sorted({v.strategy for v in trials.variants})
    by_strategy = {}
    for name in strategies:
        own = [i for i in traded if trials.variants[i].strategy == name]
        said, why, found, _ = _judge(trials, own)
        by_strategy[name] = {"verdict": said, "reason": why, "figures": [f.__dict__ for f in found]}
    counts = {"periods": len(trials.returns), "variants": len(trials.variants), "traded": len(traded)}
    counts |= {
        f"trades_{name}": sum(r["trades"] for r in rows if r["strategy"] == name) for name in strategies
    }
    details |= {"variants": rows, "by_strategy": by_strategy}
    return Outcome(STUDY, tape.market, verdict, reason, figures, counts, _balances(trials), details)


def _too_short(tape: Tape, periods: int, least: int) -> Outcome:
    from models.evidence.verdict import NOT_ENOUGH_DATA

    minutes = LEAST_PERIOD_NS / 60e9
    words = f"{tape.market.hours:.2f} h hold {periods} periods of {minutes:.0f} minutes; {least} are needed"
    counts = {"periods": periods, "variants": len(all_variants()), "traded": 0}
    details = {"variants": [], "by_strategy": {}, "logits": [], "chosen": []}
    return Outcome(STUDY, tape.market, NOT_ENOUGH_DATA, words, _figures(None, None), counts, (), details)


def _judge(trials: Trials, columns: list[int]) -> tuple[str, str, tuple[Figure, ...], dict[str, Any]]:
    """Judge some configurations: verdict, reason, figures and what the picture shows."""
    from models.evidence.overfitting_study import overfitting_study
    from models.evidence.selection import selection_study
    from models.evidence.verdict import NOT_ENOUGH_DATA, worst

    if len(columns) < 2:
        words = f"{len(columns)} of the configurations traded at all: there is nothing to choose from"
        return NOT_ENOUGH_DATA, words, _figures(None, None), {"logits": [], "chosen": []}
    returns = trials.returns[:, columns]
    study = overfitting_study(returns)
    length_ns = int(trials.start_ns[1] - trials.start_ns[0]) if len(trials.start_ns) > 1 else 0
    selection = selection_study(returns, trials.start_ns, trials.end_ns, embargo_ns=length_ns)
    logits = study.overfitting.logits.tolist() if study.overfitting is not None else []
    details = {
        "logits": _histogram(logits),
        "chosen": [
            {"variant": trials.variants[column].name, "splits": int(times)}
            for column, times in zip(columns, selection.chosen, strict=True)
        ],
        "path_means_bps": (_BPS * selection.path_means).tolist(),
        "best": trials.variants[columns[study.best]].name if study.best >= 0 else None,
        "least_observations": study.least_observations,
    }
    verdict = worst(study.verdict, selection.verdict)
    return verdict, _reason(study, selection), _figures(study, selection), details


def _figures(study: OverfittingStudy | None, selection: SelectionStudy | None) -> tuple[Figure, ...]:
    from models.evidence.overfitting_study import DEFLATED_SHARPE_AT_LEAST, OVERFITTING_AT_MOST

    deflated = study.deflated_sharpe if study is not None else None
    chance = study.overfitting if study is not None else None
    n = study.observations if study is not None else 0
    # A probability is its own statement of uncertainty: it has no interval beside it.
    dsr = deflated.probability if deflated is not None else NOT_KNOWN
    pbo = chance.pbo if chance is not None else NOT_KNOWN
    mean = selection.out_of_sample if selection is not None else None
    return (
        Figure("deflated Sharpe ratio", "probability", dsr, dsr, dsr, n, NOT_KNOWN, DEFLATED_SHARPE_AT_LEAST),
        Figure("probability of overfitting", "probability", pbo, pbo, pbo, n, NOT_KNOWN, OVERFITTING_AT_MOST),
        figure_of("choice out of sample, a period", "bps of capital", mean, threshold=0.0, factor=_BPS),
    )


def _reason(study: OverfittingStudy, selection: SelectionStudy) -> str:
    from models.evidence.overfitting_study import BLOCKS, LEAST_ROWS_PER_BLOCK

    if study.deflated_sharpe is None or study.overfitting is None or selection.out_of_sample is None:
        least = BLOCKS * LEAST_ROWS_PER_BLOCK
        return f"{study.observations} periods of at least five minutes; {least} are needed"
    mean = selection.out_of_sample
    return (
        f"deflated Sharpe {study.deflated_sharpe.probability:.3f} over {study.trials} configurations that traded, probability of "
        f"overfitting {study.overfitting.pbo:.2f}, out of sample {_BPS * mean.estimate:+.2f} bps a period "
        f"({_BPS * mean.low:+.2f} to {_BPS * mean.high:+.2f}); {study.observations} periods"
    )


def _row(trials: Trials, i: int) -> dict[str, Any]:
    own = trials.returns[:, i]
    spread = float(own.std(ddof=1)) if len(own) > 1 else 0.0
    return {
        "strategy": trials.variants[i].strategy,
        "variant": trials.variants[i].name,
        "trades": trials.trades[i],
        "fills": trials.fills[i],
        "profit_bps": _BPS * trials.profits[i],
        "sharpe_per_period": float(own.mean()) / spread if spread > 0.0 else math.nan,
    }


def _balances(trials: Trials) -> tuple[Balance, ...]:
    idle = sum(1 for fills in trials.fills if not fills)
    return (
        Balance(
            "configurations: traded, never traded", len(trials.variants), (sum(map(bool, trials.fills)), idle)
        ),
        Balance("columns of the table", len(trials.variants), (trials.returns.shape[1],)),
        Balance("periods of the table", len(trials.start_ns), (len(trials.returns),)),
    )


def _histogram(logits: list[float]) -> list[dict[str, float]]:
    import numpy as np

    if not logits:
        return []
    counts, edges = np.histogram(logits, bins=20)
    return [
        {"logit": float(edge), "share": float(n) / len(logits)}
        for edge, n in zip(edges, counts, strict=False)
    ]


def draw(outcome: Outcome) -> bytes:
    """Draw profits by configuration, the logits, and what the choice earned on each path; PNG."""
    from hean_pipelines.studies.pictures import bars_by, picture, title_of

    figure = picture(outcome, 12.0, 4.2)
    axes = figure.subplots(1, 3)
    rows = outcome.details["variants"]
    axes[0].barh(range(len(rows)), [r["profit_bps"] for r in rows])
    axes[0].set_yticks(range(len(rows)), [r["variant"] for r in rows])
    axes[0].invert_yaxis()
    axes[0].axvline(0.0, lw=0.6, color="black")
    axes[0].set_xlabel(f"profit after costs, bps of capital; {PERIODS} periods at most")
    logits = outcome.details["logits"]
    if logits:
        axes[1].bar([r["logit"] for r in logits], [r["share"] for r in logits], width=0.2, align="edge")
        axes[1].axvline(0.0, lw=0.8, color="black")
    axes[1].set_xlabel("logit of the winner's rank out of sample; ≤ 0 is overfitted")
    axes[1].set_ylabel("share of halves")
    means = outcome.details.get("path_means_bps", [])
    bars_by(
        axes[2],
        list(range(1, len(means) + 1)),
        means,
        "path through history",
        "choice out of sample, bps a period",
    )
    return title_of(figure, outcome)
