"""The dispatcher: discovery, exit codes, and commands whose extra is missing."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest

from hean_live.cli import GROUP, discover, main
from models.errors import ConfigError


def command(monkeypatch, run, name="probe"):
    module = types.ModuleType("hean_test_command")

    def add_parser(subparsers):
        subparsers.add_parser(name, help="a probe").set_defaults(run=run)

    module.add_parser = add_parser
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return EntryPoint(name, "hean_test_command:add_parser", GROUP)


def test_a_command_runs_and_its_code_is_returned(monkeypatch):
    assert main(["probe"], [command(monkeypatch, lambda _: 7)]) == 7


def test_an_error_is_printed_with_its_remedy(monkeypatch, capsys):
    def run(_):
        raise ConfigError("a number was expected, was text", remedy="write a number")

    assert main(["probe"], [command(monkeypatch, run)]) == 2
    assert capsys.readouterr().err == "error: a number was expected, was text\nremedy: write a number\n"


def test_an_interrupt_is_130(monkeypatch):
    def run(_):
        raise KeyboardInterrupt

    assert main(["probe"], [command(monkeypatch, run)]) == 130


def test_a_missing_extra_is_named(capsys):
    missing = EntryPoint("backfill", "hean_pipelines.no_such_module:add_parser", GROUP)
    assert main(["backfill", "--from", "2025-01-01"], [missing]) == 1
    assert "pip install '.[pipelines]'" in capsys.readouterr().err
    assert main([], [missing]) == 2
    assert "not installed here" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"], [])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("hean ")


def test_live_and_doctor_are_found_and_explain_themselves(capsys):
    names = {point.name for point in discover()}
    assert {"live", "doctor"} <= names
    points = [point for point in discover() if point.name in ("live", "doctor")]
    for name in ("live", "doctor"):
        with pytest.raises(SystemExit):
            main([name, "--help"], points)
        assert "examples:" in capsys.readouterr().out


def test_a_library_missing_only_when_the_command_runs_names_the_extra(monkeypatch, capsys):
    def run(_):
        raise ModuleNotFoundError("No module named 'dagster'", name="dagster.core")

    run.__module__ = "hean_pipelines.commands.train"
    assert main(["probe"], [command(monkeypatch, run)]) == 1
    assert capsys.readouterr().err == (
        "error: this command needs dagster.core, which is not installed\nremedy: pip install '.[pipelines]'\n"
    )


def test_a_missing_module_of_ours_is_a_bug_and_is_not_hidden(monkeypatch):
    def run(_):
        raise ModuleNotFoundError("No module named 'models.absent'", name="models.absent")

    with pytest.raises(ModuleNotFoundError):
        main(["probe"], [command(monkeypatch, run)])
