from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hean_live.cli import main
from tests.support import ROOT

SMALL = ("--days", "0.02", "--own-days", "0", "--symbols", "xrpusdt", "--processes", "1")


def test_dry_run_says_what_would_be_run_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path / "home"))
    arguments = ("--strategies", "S5,hf_scalping", "--symbols", "btcusdt,XRPUSDT", "--days", "3")
    assert main(["tournament", *arguments, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "BTCUSDT everything: 3 days, 2 strategies" in printed
    assert "XRPUSDT whales: 10 days, 1 strategy" in printed
    assert str(tmp_path / "home" / "tournaments") in printed
    assert not (tmp_path / "home").exists()
    assert main(["tournament", *arguments, "--dry-run", "--json"]) == 0
    markets = json.loads(capsys.readouterr().out)["markets"]
    assert len(markets) == 8
    assert sorted(map(len, (m["names"] for m in markets))) == [1, 1, 1, 1, 2, 2, 2, 2]


def test_a_run_ends_with_a_table_and_the_files_repeat(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    assert main(["tournament", "--strategies", "S5", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "impact_reversion (S5)" in printed
    [folder] = (tmp_path / "tournaments").iterdir()
    assert f"report: {folder / 'report.html'}" in printed
    content = (folder / "result.json").read_bytes()
    assert main(["tournament", "--strategies", "impact_reversion", *SMALL, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["json"] == str(folder / "result.json")
    assert [row["strategy"] for row in body["rows"]] == ["impact_reversion"]
    assert (folder / "result.json").read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strategies", "S55"), "strategy: expected one of funding_pressure"),
        (("--symbols", "ABCUSDT"), "symbols: expected some of BTCUSDT"),
        (("--days", "0"), "days: expected above 0"),
        (("--processes", "0"), "processes: expected"),
    ],
)
def test_errors_are_told_with_their_exit_code(arguments, words, capsys):
    assert main(["tournament", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_registering_imports_nothing_heavy():
    code = (
        "import sys; import hean_pipelines.commands.tournament; "
        "print([m for m in ('numba', 'numpy', 'jinja2', 'pydantic', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
