"""A person's word: valid, complete, and dangerous only in full words."""

from __future__ import annotations

import json

import pytest

from models.errors import ConfigError
from models.learning.instructions import (
    Instruction,
    check_instruction,
    danger_words,
    instructions_text,
    parse_instructions,
)

VETO = Instruction("veto", "shadow", "fees", 5)


def test_it_comes_back_as_it_was_written() -> None:
    both = {"hf_scalping": VETO, "sentiment": Instruction("pin", "off", "no source", 6)}
    assert parse_instructions(instructions_text(both)) == both


@pytest.mark.parametrize(
    ("name", "instruction", "words"),
    [
        ("nobody", VETO, "expected one of funding_pressure"),
        ("hf_scalping", Instruction("veto", "shadow", " ", 5), "reason"),
        ("hf_scalping", Instruction("veto", "live", "x", 5), "veto cannot"),
        ("hf_scalping", Instruction("pin", "on", "x", 5), "pin to live, shadow, off"),
        ("hf_scalping", Instruction("pin", "live", "x", 5), "accepted in words"),
        ("hf_scalping", Instruction("pin", "live", "x", 5, danger_words("sentiment")), "accepted in words"),
    ],
)
def test_what_is_not_valid_is_refused(name: str, instruction: Instruction, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_instruction(name, instruction)


def test_a_pin_to_live_in_full_words_is_valid() -> None:
    pin = Instruction("pin", "live", "x", 5, "hf_scalping may lose money without evidence")
    assert check_instruction("hf_scalping", pin) is pin


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2, "strategies": {}}', '{"schema": 1, "strategies": {"a": {}}}']
)
def test_a_damaged_document_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"strategies\.json"):
        parse_instructions(text)


def test_an_edited_pin_to_live_is_refused() -> None:
    body = {"schema": 1, "strategies": {"hf_scalping": {**vars(VETO), "kind": "pin", "state": "live"}}}
    with pytest.raises(ConfigError, match="accepted in words"):
        parse_instructions(json.dumps(body))
