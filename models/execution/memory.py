"""What working orders needs to remember between two decisions, as data that survive a restart.

Here belong the record and its JSON values; rules that change it are in the modules named by its fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from models.errors import DataError
from models.execution.exit_state import ExitState, dump_exit_state, load_exit_state
from models.execution.fair_slots import SlotState
from models.execution.market_gates import PriceHistory, PricePoint
from models.gates.memory import BankMemory, dump_bank, load_bank

KEY: Final = "*"  # beside the names of symbols, none of which it can be


@dataclass
class WorkMemory:
    """Memory of the execution.

    Attributes
    ----------
    btc : PriceHistory
        Prices of BTC (`market_gates`).
    placed_ns, cancelled_ns : tuple of int
        When requests were sent within the last second (`rate_budget`).
    place_slots, cancel_slots : SlotState
        Whose turn it is at each endpoint (`fair_slots`).
    exits : dict of str to ExitState
        By symbol, of positions whose exit plan needs it (`exits`).
    bank : BankMemory
        Of signals that come from the shadows (`models.gates.memory`).

    """

    btc: PriceHistory = field(default_factory=PriceHistory)
    placed_ns: tuple[int, ...] = ()
    cancelled_ns: tuple[int, ...] = ()
    place_slots: SlotState = field(default_factory=SlotState)
    cancel_slots: SlotState = field(default_factory=SlotState)
    exits: dict[str, ExitState] = field(default_factory=dict)
    bank: BankMemory = field(default_factory=BankMemory)


def dump_memory(memory: WorkMemory, *, whole: bool) -> dict[str, object]:
    """Return what is remembered as plain JSON values.

    Parameters
    ----------
    memory : WorkMemory
    whole : bool
        False leaves out what a restart can do without: the newest price, which changes all the time, and requests
        of the last second with the turns that go with them.

    Returns
    -------
    dict
        Empty for an empty memory unless whole.

    """
    body: dict[str, object] = {}
    if memory.btc.samples:
        body["btc"] = [list(point) for point in memory.btc.samples]
    if whole and memory.btc.latest is not None:
        body["btc_latest"] = list(memory.btc.latest)
    if memory.exits:
        body["exits"] = {symbol: dump_exit_state(state) for symbol, state in memory.exits.items()}
    bank = dump_bank(memory.bank)
    if bank:
        body["bank"] = bank
    if whole:
        body["placed_ns"], body["cancelled_ns"] = list(memory.placed_ns), list(memory.cancelled_ns)
        for name, slots in (("place_slots", memory.place_slots), ("cancel_slots", memory.cancel_slots)):
            body[name] = [slots.turn, slots.credit]
    return body


def load_memory(body: Mapping[str, Any]) -> WorkMemory:
    """Read what `dump_memory` wrote.

    Raises
    ------
    DataError
        If the values are not of this form.

    """
    try:
        return WorkMemory(
            btc=PriceHistory(
                tuple(PricePoint(int(at_ns), float(price)) for at_ns, price in body.get("btc", [])),
                PricePoint(*body["btc_latest"]) if "btc_latest" in body else None,
            ),
            placed_ns=tuple(int(at_ns) for at_ns in body.get("placed_ns", [])),
            cancelled_ns=tuple(int(at_ns) for at_ns in body.get("cancelled_ns", [])),
            place_slots=SlotState(*body.get("place_slots", ("", 0))),
            cancel_slots=SlotState(*body.get("cancel_slots", ("", 0))),
            exits={symbol: load_exit_state(part) for symbol, part in body.get("exits", {}).items()},
            bank=load_bank(body.get("bank", {})),
        )
    except (AttributeError, ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the saved memory of the execution is unreadable: {error!r}",
            remedy="delete the key engine_state from the journal's meta table; positions are read from the venue",
        ) from error


def join_memory(text: str, memory: WorkMemory, *, whole: bool) -> str:
    """Add what is remembered to a JSON object of states by symbol; nothing is added where nothing is remembered."""
    body = dump_memory(memory, whole=whole)
    return json.dumps({**json.loads(text), KEY: body}, sort_keys=True) if body else text


def split_memory(text: str) -> tuple[str, WorkMemory]:
    """Undo `join_memory`; a text that is not a JSON object is returned as it is, for its reader to complain.

    Raises
    ------
    DataError
        If the memory in it is unreadable.

    """
    try:
        body = json.loads(text)
    except ValueError:
        return text, WorkMemory()
    if not isinstance(body, dict) or KEY not in body:
        return text, WorkMemory()
    part = body.pop(KEY)
    return json.dumps(body, sort_keys=True), load_memory(part)
