from __future__ import annotations

import argparse
import json
import subprocess
import sys

import pytest

from hean_live.cli import main
from hean_pipelines.commands.backtest import add_parser
from tests.support import ROOT


def parsed(*arguments):
    parser = argparse.ArgumentParser(prog="hean")
    add_parser(parser.add_subparsers())
    return parser.parse_args(["backtest", *arguments])


def run(*arguments):
    args = parsed(*arguments)
    return args.run(args)


def test_a_run_ends_with_a_table_and_the_paths(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    assert run("--strategy", "S5", "--days", "0.01", "--capacity", "1") == 0
    printed = capsys.readouterr().out
    assert "net profit, USD" in printed
    [folder] = (tmp_path / "backtests").iterdir()
    assert f"report: {folder / 'report.html'}" in printed
    assert json.loads((folder / "result.json").read_text())["plan"]["strategy"] == "impact_reversion"


def test_json_is_one_object_and_the_file_repeats(tmp_path, capsys):
    contents = []
    for name in ("a", "b"):
        assert run("--strategy", "S5", "--days", "0.005", "--out", str(tmp_path / name), "--json") == 0
        body = json.loads(capsys.readouterr().out)
        assert body["json"] == str(tmp_path / name / "result.json")
        assert body["figures"]["orders"] >= 0
        contents.append((tmp_path / name / "result.json").read_bytes())
    assert contents[0] == contents[1]


def test_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path / "home"))
    assert run("--strategy", "S6", "--days", "30", "--set", "lpi_limit=2.5", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "lpi_limit=2.5" in printed
    assert str(tmp_path / "home" / "backtests") in printed
    assert not (tmp_path / "home").exists()


def test_list_names_strategies_with_what_they_need(capsys):
    assert run("--list") == 0
    assert "forced_flow_exhaustion (S6)" in capsys.readouterr().out
    assert run("--list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    whales = next(row for row in rows if row["system"] == "S5")
    assert whales["parameters"]["least_impact_bps"] == 1.5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "expected --strategy"),
        (("--strategy", "S55"), 2, "expected one of funding_pressure, funding_harvester"),
        (("--strategy", "S5", "--set", "time_out_ns=soon"), 2, "time_out_ns to be a whole number"),
        (
            ("--strategy", "S5", "--market", "recorded", "--symbol", "BTCUSDT", "--tape", "no.gz"),
            2,
            "nothing at no.gz",
        ),
    ],
)
def test_errors_are_told_with_their_exit_code(arguments, code, words, capsys):
    assert main(["backtest", *arguments]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("pair", [("--set", "x"), ("--latency-ms", "5"), ("--fees", "a,b")])
def test_options_of_the_wrong_shape_are_refused(pair):
    with pytest.raises(SystemExit):
        parsed("--strategy", "S5", *pair)


def test_registering_imports_nothing_heavy():
    code = (
        "import sys; import hean_pipelines.commands.backtest; "
        "print([m for m in ('numba', 'numpy', 'jinja2', 'pydantic', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
