"""Section: the policy in force: since when, what each strategy may do and why, and how each symbol is traded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Block, Card, Cards, Cell, Column, Note, Row, Section, Table
from hean_pipelines.report.text import ABSENT, moment, number, percent, plural
from models.errors import BundleError
from models.learning.roster import REQUIREMENTS, canonical
from models.portfolio.policy import FREE, LIVE, MOST_SHARE, OFF, SHADOW, Policy, Reason, from_text
from models.portfolio.rotator import TABLE

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs

_TONES = {LIVE: "good", OFF: "bad", SHADOW: ""}
_SIDES = {frozenset({1, -1}): "", frozenset({-1}): " (short only)", frozenset({1}): " (long only)"}


def build(inputs: Inputs) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("policy")]
    body = inputs.documents.get("policy")
    if body is not None:
        try:
            blocks += _shown(from_text(str(body["document"])), body)
        except BundleError as error:
            blocks.append(
                Note(f"The policy cannot be read, and the executor refuses it too: {error}", "warning")
            )
    blocks += _rotations(inputs)
    return Section(
        "policy",
        "The policy in force: what may trade, and how much",
        "What the learning loops decided, one bounded step at a time, as the executor was last told: state and share of each "
        "strategy, and what each symbol's trades must earn beyond costs. A strategy shadows until everything that speaks against "
        "it is gone; vetoes given since then are in `hean strategies`.",
        blocks,
        "Policy",
    )


def _shown(policy: Policy, body: dict[str, Any]) -> list[Block]:
    notes = [Note("; ".join(_words(reason) for reason in policy.reasons))] if policy.reasons else []
    if policy.is_rehearsal:
        notes.append(
            Note("Synthetic evidence was let count: a rehearsal, valid on the local testnet only.", "warning")
        )
    blocks: list[Block] = [_cards(policy, body), *notes, _strategies(policy)]
    if policy.symbols:
        blocks.append(_symbols(policy))
    return blocks


def _cards(policy: Policy, body: dict[str, Any]) -> Cards:
    live = sorted(name for name, each in policy.strategies.items() if each.state == LIVE)
    shares = sum(each.share for each in policy.strategies.values())
    on_probation = sorted(name for name, each in policy.symbols.items() if each.probation != FREE)
    held = f"held by a person; version {body['registered']} waits" if body["is_held"] else "follows the loops"
    return Cards(
        [
            Card(
                "Version",
                str(body["version"]),
                (f"since {moment(policy.made_at_ns)}", f"until {moment(policy.expires_ns)}", held),
            ),
            Card(
                "Trade live",
                f"{len(live)} of {len(policy.strategies)}",
                tuple(live),
                "good" if live else "",
            ),
            Card("Capital given out", percent(shares), ("of the equity; the rest stays free",)),
            Card(
                "On probation",
                plural(len(on_probation), "symbol"),
                tuple(on_probation),
                "bad" if on_probation else "",
            ),
        ]
    )


def _strategies(policy: Policy) -> Table:
    rows = []
    for name, requirement in REQUIREMENTS.items():
        own = policy.strategy(name)
        first, *others = own.reasons or (Reason("", ABSENT),)
        cells = [
            Cell(requirement.system),
            Cell(name),
            Cell(own.state, tone=_TONES[own.state], strength=0.6),
            Cell(percent(own.share), bar=True, strength=own.share / MOST_SHARE),
            Cell(percent(own.base_share)),
            Cell(_words(first), detail=tuple(_words(reason) for reason in others)),
        ]
        rows.append(Row(cells, strong=own.state == LIVE))
    columns = [
        Column("id", is_number=False),
        Column("strategy", is_number=False),
        Column("state", is_number=False),
        Column("share"),
        Column("base"),
        Column("why", is_number=False),
    ]
    caption = "Share: of the equity, now. Base: where it would start if every strategy were live."
    return Table("What each strategy may do", columns, rows, caption)


def _symbols(policy: Policy) -> Table:
    rows = []
    for name, own in sorted(policy.symbols.items()):
        free = own.probation == FREE
        since = f" since {moment(own.probation_since_ns)}" if own.probation_since_ns else ""
        cells = [
            Cell(name),
            Cell(number(own.slippage_buffer_bps, 2)),
            Cell(moment(own.buffer_raised_ns or None)),
            Cell(
                "free" if free else f"size × {number(own.probation, 1)}{since}",
                tone="" if free else "bad",
                strength=0.4,
            ),
            Cell("; ".join(_words(reason) for reason in own.reasons) or ABSENT),
        ]
        rows.append(Row(cells))
    columns = [
        Column("symbol", is_number=False),
        Column("slippage buffer", "bps"),
        Column("last raised", "UTC", is_number=False),
        Column("probation", is_number=False),
        Column("why", is_number=False),
    ]
    caption = "The buffer is added to the costs an expected edge must beat; on probation every size is cut."
    return Table("How each symbol is traded", columns, rows, caption)


def _rotations(inputs: Inputs) -> list[Block]:
    """Return the regime in force on each symbol as its newest signal was judged, and whom it activates."""
    events = inputs.frame("events")
    if events is None:
        return []
    import polars as pl

    told = events.filter(pl.col("kind") == "bank_signal").sort("at_ns")
    newest: dict[str, tuple[int, str]] = {}
    changes: dict[str, int] = {}
    for at_ns, symbol, text in told.select("at_ns", "symbol", "body").iter_rows():
        regime = _regime(text)
        if not regime:
            continue
        held = newest.get(symbol)
        changes[symbol] = changes.get(symbol, 0) + (held is not None and held[1] != regime)
        newest[symbol] = (at_ns if held is None or held[1] != regime else held[0], regime)
    if not newest:
        return []
    rows = [
        Row(
            [
                Cell(symbol),
                Cell(regime),
                Cell(moment(since_ns)),
                Cell(f"{changes[symbol]:,}"),
                Cell(_active(regime)),
            ]
        )
        for symbol, (since_ns, regime) in sorted(newest.items())
    ]
    columns = [
        Column("symbol", is_number=False),
        Column("regime in force", is_number=False),
        Column("seen since", "UTC", is_number=False),
        Column("changes"),
        Column("the rotator lets in", is_number=False),
    ]
    caption = "As signals of the shadows were judged. Strategies that live on events, and those on two markets, are in no list."
    return [Table("Rotations", columns, rows, caption)]


def _regime(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    return str(body.get("rotation") or "") if isinstance(body, dict) else ""


def _active(regime: str) -> str:
    own = TABLE.get(regime, {})
    return ", ".join(f"{canonical(name)}{_SIDES[sides]}" for name, sides in own.items()) or "none of its list"


def _words(reason: Reason) -> str:
    return f"{reason.word}: {reason.text}" if reason.text else reason.word
