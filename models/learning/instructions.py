"""A person's word on a strategy: veto or pin, as JSON.

Here belongs the document of ``<home>/strategies.json`` and what makes an instruction valid. The policy honours vetoes and pins;
the executor reads the same file for vetoes, at once. Reading and writing the file belong to the shells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from models.errors import ConfigError
from models.learning.roster import STRATEGIES
from models.portfolio.policy import LIVE, STATES

FILE: Final = "strategies.json"
VETO: Final = "veto"
PIN: Final = "pin"


@dataclass(frozen=True)
class Instruction:
    """What a person said of one strategy.

    Attributes
    ----------
    kind : str
        ``veto`` or ``pin``.
    state : str
        Of a pin: ``live``, ``shadow`` or ``off``; of a veto ``shadow``.
    reason : str
    at_ns : int
        When it was said, ns UTC.
    accepted : str
        Of a pin to live: `danger_words`, given in full.

    """

    kind: str
    state: str
    reason: str
    at_ns: int
    accepted: str = ""

    @property
    def is_veto(self) -> bool:
        """Whether it forbids trading live."""
        return self.kind == VETO


def danger_words(strategy: str) -> str:
    """Return the sentence a person gives to let a strategy trade without its promotion."""
    return f"{strategy} may lose money without evidence"


def check_instruction(strategy: str, instruction: Instruction) -> Instruction:
    """Return a valid instruction.

    Raises
    ------
    ConfigError
        If the strategy is unknown, the reason empty, or a pin to live was not accepted in full words.

    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"strategy: expected one of {', '.join(STRATEGIES)}, was {strategy!r}")
    if instruction.kind not in (VETO, PIN) or instruction.state not in STATES:
        raise ConfigError(f"{strategy}: expected a veto or a pin to {', '.join(STATES)}, was {instruction}")
    if not instruction.reason.strip():
        raise ConfigError(f"{strategy}: a reason was expected, was empty", remedy="give --reason")
    if instruction.kind == VETO and instruction.state == LIVE:
        raise ConfigError(f"{strategy}: a veto cannot let it trade live")
    if (
        instruction.kind == PIN
        and instruction.state == LIVE
        and instruction.accepted != danger_words(strategy)
    ):
        raise ConfigError(
            f"{strategy}: a pin to live passes evidence and should be accepted in words, was {instruction.accepted!r}",
            remedy=f'--danger "{danger_words(strategy)}"; limits and kill switch stay in force',
        )
    return instruction


def instructions_text(instructions: Mapping[str, Instruction]) -> str:
    """Write the document."""
    body = {"schema": 1, "strategies": {name: asdict(each) for name, each in instructions.items()}}
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def parse_instructions(text: str) -> dict[str, Instruction]:
    """Read the document.

    Raises
    ------
    ConfigError
        If it is not of this form, or an instruction is not valid.

    """
    try:
        body = json.loads(text)
        if body["schema"] != 1:
            raise ValueError(f"schema should be 1, was {body['schema']}")
        found = {str(name): Instruction(**row) for name, row in body["strategies"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{FILE} should be the document `hean strategies` writes: {error}",
            remedy="mend it, or delete it and give the instructions again",
        ) from error
    return {name: check_instruction(name, each) for name, each in found.items()}
