"""What promotion rests on, read from where it lies: studies, backtests, trades, drift, a person's word.

Here belongs reading and counting. The decision is `models.learning.promotion`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from models.errors import ConfigError
from models.learning.promotion import RECORDED, SYNTHETIC, Backtest, Evidence, Facts
from models.learning.roster import REQUIREMENTS, STRATEGIES
from models.learning.track_record import LIVE_CONFIDENCE, deflated_of_trials, record_of
from models.learning.trades import DAY_NS, TradeTable

if TYPE_CHECKING:
    from hean_pipelines.resources.products import Products
    from models.learning.instructions import Instruction
    from models.portfolio.policy import Policy

RECORD_NS = 30 * DAY_NS
"""How far back closed trades count."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_RESULT = "result.json"


def is_local(url: str) -> bool:
    """Whether an address is on this machine: the local testnet, whose market is synthetic unless a tape is replayed."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def check_synthetic(allow: bool, venue_url: str) -> bool:
    """Return whether synthetic evidence counts.

    Raises
    ------
    ConfigError
        If it is to count for a venue other than the local testnet.

    """
    if allow and not is_local(venue_url):
        raise ConfigError(
            f"allow_synthetic_evidence is for the local testnet only, the venue was {venue_url}",
            remedy="take it out of the settings: on a market with others in it only recorded evidence counts",
        )
    return allow


def evidence_of(products: Products, study: str, venue_url: str) -> Evidence | None:
    """Return what a study left behind, None where it never ran.

    A study on the lake (E1) names no market: its data are the venue's, so the local testnet's count as synthetic.
    """
    body = products.read_json(products.study(study))
    if body is None:
        return None
    market = (body.get("market") or {}).get("kind") or (SYNTHETIC if is_local(venue_url) else RECORDED)
    return Evidence(study, str(body["verdict"]), str(market), str(body.get("reason") or ""))


class Trial(NamedTuple):
    """A backtest that was run: folder, market, parameters as text, length, the document, returns a period."""

    name: str
    market: str
    parameters: str
    days: float
    document: Mapping[str, Any]
    returns: tuple[float, ...]


def trials(folder: Path) -> dict[str, list[Trial]]:
    """Return every backtest found below a folder, by strategy; a file that is none is passed over."""
    found: dict[str, list[Trial]] = {}
    for path in sorted(folder.glob(f"*/{_RESULT}")):
        for strategy, trial in _trial(path):
            found.setdefault(strategy, []).append(trial)
    return found


def _trial(path: Path) -> Iterator[tuple[str, Trial]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        plan, rows = document["plan"], document["periods"]["rows"]
        returns = tuple(float(row["net_usd"]) / float(plan["capital_usd"]) for row in rows)
        parameters = json.dumps(plan["parameters"], sort_keys=True)
        trial = Trial(
            path.parent.name, plan["market"], parameters, float(document["tape"]["days"]), document, returns
        )
    except (OSError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return
    yield str(plan["strategy"]), trial


def backtest_of(strategy: str, found: list[Trial], parameters: Mapping[str, Any] | None) -> Backtest | None:
    """Return the backtest that counts, None for none: with the parameters in force, on a recorded market if any, the longest.

    Every other set of parameters tried on such a market is a trial, whatever came of it.
    """
    in_force = None if parameters is None else json.dumps(parameters, sort_keys=True)
    own = [trial for trial in found if in_force is None or trial.parameters == in_force]
    if not own:
        return None
    best = max(own, key=lambda trial: (trial.market == RECORDED, trial.days, trial.name))
    period_ns = best.document["periods"]["period_ns"]
    others = {
        trial.parameters: _sharpe(trial.returns)
        for trial in found
        if trial.market == best.market
        and trial.parameters != best.parameters
        and trial.document["periods"]["period_ns"] == period_ns
    }
    tried = {trial.parameters for trial in found if trial.market == best.market}
    net = best.document["figures"]["net_bps"] or {"value": None, "low": None}
    # A trial whose ratio is not known still counts: as one of a worthless strategy.
    ratios = [others.get(each, 0.0) for each in sorted(tried - {best.parameters})]
    return Backtest(
        best.market,
        best.name,
        best.days,
        int(best.document["figures"]["trades"]),
        _number(net["value"]),
        _number(net["low"]),
        deflated_of_trials(_array(best.returns), ratios),
        len(tried),
    )


def facts_of(
    products: Products,
    trades: TradeTable,
    policy: Policy | None,
    now_ns: int,
    instructions: Mapping[str, Instruction],
    drifted: set[str],
    backtests: Path,
    venue_url: str,
) -> list[Facts]:
    """Return the facts of every strategy, in the order of the roster."""
    from models.portfolio.policy import LIVE

    recent, tried = trades.since(now_ns - RECORD_NS), trials(backtests)
    out = []
    for name in STRATEGIES:
        requirement = REQUIREMENTS[name]
        own = recent.take(recent.strategy == name)
        made = [evidence_of(products, study, venue_url) for study in requirement.studies]
        out.append(
            Facts(
                name,
                requirement,
                tuple(each for each in made if each is not None),
                backtest_of(name, tried.get(name, []), parameters_in_force(name)),
                record_of(own.take(~own.is_live)),
                record_of(own.take(own.is_live), confidence=LIVE_CONFIDENCE),
                requirement.model in drifted,
                instructions.get(name),
                policy is not None and policy.strategy(name).state == LIVE,
            )
        )
    return out


def parameters_in_force(strategy: str) -> dict[str, Any] | None:
    """Return the default parameters of a strategy that can be backtested, else None."""
    from models.strategies.catalogue import CATALOGUE

    entry = CATALOGUE.get(strategy)
    return None if entry is None else json.loads(json.dumps(entry.params()._asdict()))


def _sharpe(returns: tuple[float, ...]) -> float:
    spread = float(_array(returns).std(ddof=1)) if len(returns) > 1 else 0.0
    return float(_array(returns).mean()) / spread if spread > 0.0 else 0.0


def _array(values: tuple[float, ...]) -> Any:
    import numpy as np

    return np.array(values, dtype=np.float64)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
