"""`hean study`: what it prints, writes and refuses."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hean_live.cli import main
from tests.support import shared_path

STUDY = [EntryPoint("study", "hean_pipelines.commands.study:add_parser", "hean.commands")]


def test_list_names_every_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--list"], STUDY) == 0
    out = capsys.readouterr().out
    for name in ("E1", "E2", "E3", "E4", "E5", "E6", "E7"):
        assert f"{name}  " in out


def test_one_study_prints_verdicts_and_leaves_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "e5", "--days", "0.05", "--home", str(tmp_path)], STUDY) == 0
    out = capsys.readouterr().out
    assert "planted truth" in out
    assert "planted null" in out
    folder = tmp_path / "report" / "studies"
    assert json.loads((folder / "e5_synthetic.json").read_text())["study"] == "E5"
    assert len(list(folder.glob("*.png"))) == 2


def test_a_recording_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shared_path("data/streams/hftbacktest__usdm_btcusdt_20240808.gz")
    assert main(["study", "E3", "--tape", str(path), "--json", "--home", str(tmp_path)], STUDY) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["study"], row["market"]["symbol"], row["verdict"]) == ("E3", "BTCUSDT", "not enough data")


def test_seeds_print_size_and_power(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["study", "E5", "--seeds", "2", "--days", "0.02", "--json", "--home", str(tmp_path)]
    assert main(command, STUDY) == 0
    null, truth = json.loads(capsys.readouterr().out)
    assert (null["market"], truth["market"], truth["seeds"]) == ("null", "truth", 2)
    assert (tmp_path / "report" / "studies" / "e5_power.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["E9"], "expected one of E2, E3, E5, E6, E7 or all"),
        (["E1"], "study E1 is not run here"),
        (["E5", "--days", "0"], "--days"),
        (["E5", "--seeds", "0"], "--seeds"),
        (["E5", "--seed", "-1"], "--seed"),
        (["E5", "--market", "synthetic", "--tape", "x"], "--market synthetic"),
        (["E5", "--tape", "x", "--seeds", "3"], "are for the synthetic market"),
        (["E5", "--market", "recorded"], "was neither"),
        (["E5", "--tape", "/absent/tape"], "was nothing at"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", *arguments, "--home", str(tmp_path)], STUDY) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert "error:" in shown


def test_a_folder_without_tapes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["study", "E5", "--tape", str(tmp_path), "--home", str(tmp_path)], STUDY) == 2
    assert "expected at least one tape" in capsys.readouterr().err
