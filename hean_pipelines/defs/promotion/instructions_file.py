"""The file of a person's vetoes and pins, ``<home>/strategies.json``: read whole, replaced whole.

Here belongs the disk; what an instruction may be is `models.learning.instructions`.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from models.errors import ConfigError
from models.learning.instructions import (
    FILE,
    Instruction,
    check_instruction,
    instructions_text,
    parse_instructions,
)


def read_instructions(home: Path) -> dict[str, Instruction]:
    """Return the instructions by strategy; empty without a file.

    Raises
    ------
    ConfigError
        If the file cannot be read or is not valid.

    """
    path = home / FILE
    try:
        return parse_instructions(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} should be readable, was not: {error}") from error


def instruct(home: Path, strategy: str, instruction: Instruction | None) -> None:
    """Set the instruction of one strategy, or clear it with None; the others stay.

    Raises
    ------
    ConfigError
        If the instruction is not valid, or the file cannot be read or written.

    """
    found = read_instructions(home)
    if instruction is None:
        found.pop(strategy, None)
    else:
        found[strategy] = check_instruction(strategy, instruction)
    path = home / FILE
    beside = path.with_name(f".{FILE}.{secrets.token_hex(4)}.tmp")
    try:
        home.mkdir(parents=True, exist_ok=True)
        beside.write_text(instructions_text(found), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise ConfigError(
            f"{path} should be writable, was not: {error}", remedy="check home and its rights"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
