"""What became of each strategy in a rehearsal, and which policies were in force when, read from journal and bundle cache.

Reading only. What is counted for the account as a whole belongs to `results`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from hean_pipelines.rehearsal.results import JOURNAL, ask
from models.errors import BundleError
from models.learning.roster import REQUIREMENTS
from models.portfolio import policy as policies_of

if TYPE_CHECKING:
    from rich.table import Table

_POLICY = "hean-policy"
_OWN_ROAD = {"state": "own road", "share": None, "why": "the evidence of its model; no policy binds it"}
_SIGNALS = """
SELECT strategy, count(*), sum(json_extract(body, '$.not_traded') = '') FROM events WHERE kind = 'bank_signal' GROUP BY 1
UNION ALL SELECT strategy, sum(kind = 'signal'), sum(kind = 'entry') FROM events
WHERE strategy = 'S1' AND kind IN ('signal', 'entry') GROUP BY 1
"""
_NOT_TRADED = """
SELECT strategy, json_extract(body, '$.not_traded'), count(*) FROM events WHERE kind = 'bank_signal' GROUP BY 1, 2
UNION ALL SELECT strategy, json_extract(body, '$.reason'), count(*) FROM events WHERE kind = 'block' AND strategy = 'S1'
GROUP BY 1, 2
"""
_GATES = """
SELECT strategy, gate.key, count(*) FROM events, json_each(body, '$.gates') gate
WHERE kind = 'bank_signal' AND json_extract(gate.value, '$.reason') != 'PASS' GROUP BY 1, 2 ORDER BY 3 DESC, 2
"""
_TRADES = """
SELECT strategy, mode, count(*), sum(pnl_usd), avg(pnl_bps) FROM trades WHERE exit_ns IS NOT NULL GROUP BY 1, 2
"""


def by_strategy(home: Path) -> dict[str, dict[str, Any]]:
    """Return a row a strategy, by its id and name.

    Returns
    -------
    dict
        ``state``, ``share`` and ``why`` of the newest policy (S1 has a road of its own); ``signals`` the engine heard, of which
        ``taken`` began a campaign; ``not_traded`` by the one reason they are counted under, ``gates`` by every gate that blocked;
        ``shadow`` and ``live`` trades with their net result in USD and mean in bps.

    """
    journal = home / JOURNAL
    newest = next(reversed(policies(home)), None)
    rows: dict[str, dict[str, Any]] = {}
    for name, requirement in REQUIREMENTS.items():
        state = newest["strategies"][name] if newest else {"state": "shadow", "why": "NO_POLICY"}
        rows[requirement.system] = {
            "name": name, **state, "signals": 0, "taken": 0, "not_traded": {}, "gates": {},
            "shadow": {"trades": 0}, "live": {"trades": 0},
        }  # fmt: skip
    rows["S1"] |= _OWN_ROAD
    for system, signals, taken in ask(journal, _SIGNALS):
        rows[system] |= {"signals": int(signals), "taken": int(taken)}
    for system, reason, number in ask(journal, _NOT_TRADED):
        if reason:
            rows[system]["not_traded"][str(reason)] = int(number)
    for system, gate, number in ask(journal, _GATES):
        rows[system]["gates"][str(gate)] = int(number)
    for system, mode, number, net_usd, net_bps in ask(journal, _TRADES):
        rows[system][str(mode)] = {
            "trades": int(number), "net_usd": round(net_usd, 4), "net_bps": round(net_bps, 3),
        }  # fmt: skip
    return {f"{system} {row.pop('name')}": row for system, row in rows.items()}


def policies(home: Path) -> list[dict[str, Any]]:
    """Return the policies the executor took into use, oldest first: version, market time, who was live, state of everyone."""
    query = """
        SELECT json_extract(body, '$.to'), max(min(at_ns), 0) FROM events
        WHERE kind = 'reload' AND json_extract(body, '$.name') = ? AND at_ns > 0 GROUP BY 1 ORDER BY min(seq)
    """
    found = []
    for version, at_ns in ask(home / JOURNAL, query, _POLICY):
        path = home / "bundles" / _POLICY / str(version) / policies_of.FILE
        try:
            policy = policies_of.from_text(path.read_text(encoding="utf-8"))
        except (OSError, BundleError):
            continue  # a damaged one was refused by the executor, too
        everyone = {name: policy.strategy(name) for name in REQUIREMENTS}
        found.append(
            {
                "version": str(version),
                "from": _utc(at_ns),
                "made": _utc(policy.made_at_ns),
                "is_rehearsal": policy.is_rehearsal,
                "live": [name for name, own in everyone.items() if own.state == policies_of.LIVE],
                "strategies": {
                    name: {"state": own.state, "share": round(own.share, 6), "why": _words(own)}
                    for name, own in everyone.items()
                },
            }
        )
    return found


def of_the_bank(home: Path) -> dict[str, Any]:
    """Return how often the rotator's regime changed between signals, by symbol; signals by that regime; and their age, s."""
    query = """
        SELECT symbol, json_extract(body, '$.rotation'), (at_ns - json_extract(body, '$.at_ns')) / 1e9
        FROM events WHERE kind = 'bank_signal' ORDER BY seq
    """
    last: dict[str, str] = {}
    rotations: dict[str, int] = {}
    regimes: dict[str, int] = {}
    ages = []
    for symbol, regime, age_s in ask(home / JOURNAL, query):
        rotations[symbol] = rotations.get(symbol, 0) + (last.get(symbol, regime) != regime)
        regimes[regime] = regimes.get(regime, 0) + 1
        last[symbol] = regime
        ages.append(float(age_s))
    if not ages:
        return {"rotations": {}, "regimes": {}, "signal_age_s": None}
    ages.sort()
    known = {
        "median": round(median(ages), 1),
        "95 %": round(ages[int(0.95 * (len(ages) - 1))], 1),
        "most": round(ages[-1], 1),
    }
    return {"rotations": rotations, "regimes": regimes, "signal_age_s": known}


def table(rows: dict[str, dict[str, Any]]) -> Table:
    """Return a table of `by_strategy`."""
    from rich.table import Table

    drawn = Table(title="strategies")
    drawn.add_column("strategy", no_wrap=True)
    for column in ("state", "trips", "bps", "signals", "taken", "not traded", "live", "net USD"):
        drawn.add_column(column, overflow="fold")
    for name, row in rows.items():
        shadow, live = row["shadow"], row["live"]
        drawn.add_row(
            name,
            f"{row['state']} {row['why']}",
            str(shadow["trades"]),
            f"{shadow['net_bps']:+.1f}" if shadow["trades"] else "",
            str(row["signals"]),
            str(row["taken"]),
            ", ".join(f"{reason} {number}" for reason, number in row["not_traded"].items()),
            str(live["trades"]),
            f"{live['net_usd']:+.2f}" if live["trades"] else "",
        )
    return drawn


def _words(own: policies_of.StrategyPolicy) -> str:
    return ", ".join(reason.word for reason in own.reasons)


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M")
