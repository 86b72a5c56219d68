"""What a tournament found, as plain data: one row a strategy, one score a column, and what follows from them.

Here belongs the verdict's rule. Words for people and drawings are in `page.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, Literal

import numpy as np

from hean_pipelines.tournament.run import EVERYTHING, NULL, OWN, Done
from models.simulation.bank.scores import Score, score_of
from models.simulation.slow_market.scenarios import PLANTED_FOR
from models.strategies.catalogue import CATALOGUE

COLUMNS: Final = (OWN, EVERYTHING, NULL)
Verdict = Literal["found", "not found", "too few trades", "earns on nothing"]


def verdict_of(own: Score | None, null: Score | None) -> Verdict:
    """Say whether a strategy found its planted effect.

    Parameters
    ----------
    own : Score or None
        Where its effect is planted; where no scenario of its own was run, that of everything.
    null : Score or None
        Where nothing is.

    Returns
    -------
    str
        "earns on nothing" when the interval of the null lies above zero: then the costs are wrong, or the rule looks ahead.
        Otherwise "found" when the interval of its effect lies above zero, "too few trades" when there is no interval.

    """
    if null is not None and null.low_bps is not None and null.low_bps > 0.0:
        return "earns on nothing"
    if own is None or own.low_bps is None:
        return "too few trades"
    return "found" if own.low_bps > 0.0 else "not found"


def document_of(many: Sequence[Done], seed: int) -> dict[str, Any]:
    """Return the outcome of a tournament; the same runs give the same document.

    Parameters
    ----------
    many : sequence of Done
    seed : int

    """
    trips: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for done in many:
        for name, rows in done.trips.items():
            trips[name, done.task.column].append(rows)
    names = [name for name in CATALOGUE if any(name == key[0] for key in trips)]
    rows = []
    for name in names:
        scores = {
            column: score_of(np.concatenate(trips[name, column])) if (name, column) in trips else None
            for column in COLUMNS
        }
        planted = OWN if scores[OWN] is not None else EVERYTHING
        rows.append(
            {
                "strategy": name,
                "system": CATALOGUE[name].system,
                "planted": PLANTED_FOR[name],
                "judged_on": planted,
                "scores": {
                    column: None if score is None else asdict(score) for column, score in scores.items()
                },
                "verdict": verdict_of(scores[planted], scores[NULL]),
            }
        )
    tasks = [done.task for done in many]
    return {
        "seed": seed,
        "symbols": sorted({task.symbol for task in tasks}),
        "days": {
            column: max((t.days for t in tasks if t.column == column), default=0.0) for column in COLUMNS
        },
        "capital_usd": tasks[0].capital_usd if tasks else 0.0,
        "symbol_days": sum(task.days for task in tasks),
        "events": sum(done.events for done in many),
        "rows": rows,
    }
