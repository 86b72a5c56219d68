"""What was wanted, sent and refused; and what the run was told: parameters, venue, tape."""

from __future__ import annotations

from typing import Any, Final

from hean_pipelines.report.backtest.words import Document, duration
from hean_pipelines.report.blocks import Block, Cell, Column, Row, Section, Table
from hean_pipelines.report.text import ABSENT, moment, number, plural

_VENUE_WORDS: Final = {
    "tick_size": "price step, USD",
    "lot_size": "quantity step, base",
    "queue_model": "how much of a shrinking level stood ahead of us",
    "queue_power": "exponent of the power models",
    "partial_fills": "1: a print fills only what it has left",
    "latency_model": "0 constant, 1 uniform, 2 lognormal",
    "entry_min_ms": "least latency of a request",
    "entry_median_ms": "median latency of a request",
    "entry_max_ms": "largest latency of a request",
    "response_min_ms": "least latency of a report",
    "response_median_ms": "median latency of a report",
    "response_max_ms": "largest latency of a report",
    "latency_sigma": "standard deviation of the log latency",
    "seed": "of the latencies",
    "maker_fee": "fraction of the value",
    "taker_fee": "fraction of the value",
    "leverage": "largest position over equity; 0 switches margin off",
    "maintenance_margin": "fraction of the entry value",
}


def activity(document: Document) -> Section:
    """Return counts of intents and orders with their reasons."""
    data = document["activity"]
    blocks: list[Block] = []
    if data["held_back"]:
        title = "What the strategy said at each tick of the first half hour"
        blocks.append(_counts(title, "said", data["held_back"]))
    blocks.append(_counts("Intents", "intent", data["intents"]))
    blocks.append(_counts("Orders by what became of them", "ended", data["orders"]))
    dropped = document["figures"]["dropped"]
    intro = (
        f"{plural(data['ticks'], 'decision')} at alpha ticks; an intent is a decision other than to hold. "
        f"{plural(dropped, 'order was', 'orders were')} not sent: below one lot, or too many open."
    )
    return Section("activity", "What was wanted and what was sent", intro, blocks, "Activity")


def _counts(title: str, head: str, counts: list[dict[str, Any]]) -> Table:
    total = sum(c["count"] for c in counts)
    columns = [
        Column(head, is_number=False),
        Column("reason", is_number=False),
        Column("times", is_number=False),
    ]
    rows = [
        Row(
            [
                Cell(c["what"]),
                Cell(c["why"] or ABSENT),
                Cell(f"{c['count']:,}", bar=True, strength=c["count"] / total),
            ]
        )
        for c in counts
    ]
    return Table(title, columns, rows, "" if rows else "None.", compact=True)


def setup(document: Document) -> Section:
    """Return parameters, venue assumptions and tape."""
    plan = document["plan"]
    parameters = [Row([Cell(name), Cell(f"{given:g}")]) for name, given in plan["parameters"].items()]
    venue = [
        Row([Cell(name), Cell(_text(given)), Cell(_VENUE_WORDS[name])])
        for name, given in plan["venue"].items()
    ]
    blocks: list[Block] = [
        Table(
            "Parameters of the strategy",
            [Column("parameter", is_number=False), Column("value")],
            parameters,
            plan["summary"],
            compact=True,
        ),
        Table(
            "Venue",
            [
                Column("assumption", is_number=False),
                Column("value"),
                Column("meaning", is_number=False),
            ],
            venue,
            "Rules of matching, queue and margin: docs/fill_model.md.",
            folded=True,
        ),
        _tape(document),
    ]
    return Section("setup", "What the run was told", "", blocks, "Setup")


def _text(given: object) -> str:
    return f"{given:g}" if isinstance(given, int | float) else str(given)


def _tape(document: Document) -> Table:
    tape, plan = document["tape"], document["plan"]
    files = ", ".join(plan["tapes"]) or f"generated: scenario {plan['scenario']}, seed {plan['seed']}"
    latencies = " / ".join(_ms(tape[f"latency_{name}_ns"]) for name in ("min", "median", "p99", "max"))
    kinds = ", ".join(f"{name} {count:,}" for name, count in tape["counts"].items())
    rows = [
        ("source", files),
        ("format", plan["tape_format"] or plan["market"]),
        ("first and last event", f"{moment(tape['first_local_ts'])} to {moment(tape['last_local_ts'])} UTC"),
        ("length", f"{number(tape['days'], 4)} days"),
        ("events", f"{tape['events']:,}"),
        ("kinds", kinds),
        ("gaps in the book's sequence", f"{tape['counts'].get('gap', 0):,}"),
        ("longest silence", duration(tape["longest_silence_ns"])),
        ("latency least / median / 99 % / largest", latencies),
        ("received before they were stamped", f"{tape['negative_latencies']:,}"),
        ("problems", "; ".join(tape["problems"]) or "none found"),
    ]
    body = [Row([Cell(what), Cell(which)]) for what, which in rows]
    return Table("Tape", [Column("what", is_number=False), Column("which", is_number=False)], body)


def _ms(latency_ns: int | None) -> str:
    return ABSENT if latency_ns is None else f"{number(latency_ns * 1e-6, 1)} ms"
