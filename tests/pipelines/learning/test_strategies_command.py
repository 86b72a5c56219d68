"""`hean strategies`: the list, and vetoes and pins that last."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from hean_pipelines.commands.strategies import _remedies, add_parser
from hean_pipelines.defs.promotion.instructions_file import instruct, read_instructions
from models.errors import ConfigError
from models.learning.instructions import Instruction
from models.learning.roster import STRATEGIES
from tests.pipelines.learning.marts import rows, settings_of, turn, write_marts


def call(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["strategies", *arguments])
    return int(parsed.run(parsed))


def listed(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict]:
    capsys.readouterr()
    assert call("--home", str(home), "--json") == 0
    return {row["strategy"]: row for row in json.loads(capsys.readouterr().out)["strategies"]}


def test_before_any_policy_everything_shadows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(tmp_path, capsys)
    assert tuple(found) == STRATEGIES
    assert {row["state"] for row in found.values()} == {"shadow"}
    assert "hean learn" in found["sentiment"]["reasons"][0]


def test_the_list_says_state_reason_record_and_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings, rows(np.random.default_rng(1).normal(3.0, 5.0, 100)))
    turn(settings)
    row = listed(tmp_path, capsys)["impact_reversion"]
    assert (row["state"], row["share"], row["shadow"]["trades"]) == ("shadow", 0.0, 100)
    for study in ("E5", "E7", "S5"):
        assert any(reason.startswith(f"NO_EVIDENCE: study {study}") for reason in row["reasons"])
    assert "job `evidence`" in row["remedies"]["E7"]
    assert "job `first_steps`" in row["remedies"]["S5"]
    assert call("--home", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert "impact_reversion" in shown
    assert "policy: version 1" in shown
    assert "E5: none, E7: none, S5: none" in shown
    assert "E2, E3, E5, E6, E7: run the job `evidence`" in shown
    assert "S1, S2, S3" in shown


def test_what_has_been_judged_on_a_recorded_market_needs_no_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path)
    products = write_marts(settings)
    verdicts = {
        "E5": ("failed", "recorded"),
        "E7": ("not enough data", "recorded"),
        "S5": ("passed", "synthetic"),
    }
    for study, (verdict, kind) in verdicts.items():
        body = {"study": study, "verdict": verdict, "reason": "", "market": {"kind": kind}}
        products.write_json(products.study(study), body)
    turn(settings)
    assert set(listed(tmp_path, capsys)["impact_reversion"]["remedies"]) == {"E7", "S5"}


def test_vetoes_and_pins_are_kept_and_cleared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ("--home", str(tmp_path))
    assert call("veto", "S8", "--reason", "fees went up", *home) == 0
    assert call("pin", "sentiment", "off", "--reason", "no source", *home) == 0
    said = read_instructions(tmp_path)
    assert (said["hf_scalping"].kind, said["hf_scalping"].reason) == ("veto", "fees went up")
    assert said["sentiment"].state == "off"
    assert "veto to shadow: fees went up" in listed(tmp_path, capsys)["hf_scalping"]["reasons"][0]
    assert call("clear", "hf_scalping", *home) == 0
    assert list(read_instructions(tmp_path)) == ["sentiment"]
    assert [path.name for path in tmp_path.iterdir()] == ["strategies.json"]


def test_a_pin_is_in_the_next_policy_and_danger_is_spelled_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings)
    pin = ("pin", "impact_reversion", "live", "--reason", "trial", "--home", str(tmp_path))
    for danger in ((), ("--danger", "yes")):
        with pytest.raises(ConfigError, match="accepted in words"):
            call(*pin, *danger)
    assert call(*pin, "--danger", "impact_reversion may lose money without evidence") == 0
    assert "not yet in the policy" in listed(tmp_path, capsys)["impact_reversion"]["reasons"][0]
    turn(settings)
    row = listed(tmp_path, capsys)["impact_reversion"]
    assert (row["state"], row["share"]) == ("live", 0.05)
    call("veto", "impact_reversion", "--reason", "enough", "--home", str(tmp_path))
    assert listed(tmp_path, capsys)["impact_reversion"]["state"] == "shadow"  # before any new policy


def test_unknown_names_and_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of"):
        call("veto", "nobody", "--reason", "x", "--home", str(tmp_path))
    (tmp_path / "strategies.json").write_text("{")
    with pytest.raises(ConfigError, match=r"strategies\.json"):
        call("veto", "sentiment", "--reason", "x", "--home", str(tmp_path))
    assert (tmp_path / "strategies.json").read_text() == "{"


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    instruct(tmp_path, "sentiment", Instruction("veto", "shadow", "0", 1))
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(len(read_instructions(tmp_path)["sentiment"].reason))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(200):
            instruct(
                tmp_path, "sentiment", Instruction("veto", "shadow", "x" * (1 + 500 * (number % 2)), number)
            )
    finally:
        stop.set()
        reader.join()
    assert set(seen) <= {1, 501}


def test_remedies_go_by_the_roster_whatever_promotion_wrote_down_before() -> None:
    old = {
        "studies": ["momentum_trader"],
        "evidence": [{"study": "momentum_trader", "verdict": "passed", "market": "recorded"}],
    }
    assert list(_remedies("momentum_trader", old)) == ["S9"]
    passed = {"evidence": [{"study": "S9", "verdict": "passed", "market": "recorded"}]}
    assert _remedies("momentum_trader", passed) == {}
    assert _remedies("basis_arbitrage", {}) == {}  # never live, whatever is studied
