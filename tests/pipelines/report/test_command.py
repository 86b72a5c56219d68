from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hean_pipelines.commands.report import add_parser
from hean_pipelines.report.inputs import SPECS
from models.errors import ConfigError
from tests.support import ROOT


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hean")
    add_parser(parser.add_subparsers())
    return parser.parse_args(["report", *arguments])


def test_path_is_printed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = parsed("--home", str(home))
    assert args.run(args) == 0
    assert capsys.readouterr().out.strip() == str(home / "report" / "index.html")


def test_json_names_path_and_size(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = parsed("--home", str(home), "--output", str(tmp_path / "page.html"), "--json")
    assert args.run(args) == 0
    body = json.loads(capsys.readouterr().out)
    assert body == {"report": str(tmp_path / "page.html"), "bytes": (tmp_path / "page.html").stat().st_size}


def test_home_comes_from_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEAN_HOME", str(home))
    args = parsed()
    assert args.run(args) == 0
    assert capsys.readouterr().out.strip().startswith(str(home))


def test_a_home_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    args = parsed("--home", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="was absent") as caught:
        args.run(args)
    assert "hean demo" in caught.value.remedy
    assert not (tmp_path / "nowhere").exists()


def test_registering_and_building_import_nothing_heavy() -> None:
    registering = "import sys; import hean_pipelines.commands.report"
    building = (
        registering
        + "; import hean_pipelines.report.build; from hean_pipelines.report.sections import summary, skill, live"
    )
    for code, heavy in (
        (registering, ("polars", "jinja2", "numpy", "pydantic")),
        (building, ("lightgbm", "scipy", "sklearn", "dagster", "mlflow", "matplotlib", "duckdb")),
    ):
        check = f"{code}; print([m for m in {heavy!r} if m in sys.modules])"
        done = subprocess.run(
            [sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT, check=True
        )
        assert done.stdout.strip() == "[]"


def test_remedies_name_commands_that_exist() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = set(declared["project"]["entry-points"]["hean.commands"])
    named = {part.split()[1] for spec in SPECS.values() for part in spec.remedy.split("`")[1::2]}
    assert named
    assert named <= known
