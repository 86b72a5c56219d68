"""Units: what stands in them, what the service manager's own tools say of them, and how they are written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hean_live.cli import main
from hean_live.deploy.install import credential_problems, exposure, place_of, verify, write_units
from hean_live.deploy.units import EXECUTOR, UNITS, Place, render
from models.errors import ConfigError
from tests.support import ROOT

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def place(tmp_path: Path, scope: str = "user", prefix: str = "/opt/hean/.venv") -> Place:
    return Place(
        scope=scope,
        hean=Path(prefix) / "bin/hean",
        home=tmp_path / "state",
        credentials=tmp_path / "credentials",
        environment_file=tmp_path / "live.env",
        documentation=Path(prefix).parent / "README.md",
        program=(Path(prefix), Path(prefix).parent),
    )


@needs_systemd
@pytest.mark.parametrize("scope", ["user", "system"])
@pytest.mark.parametrize("name", UNITS)
def test_the_exposure_is_at_most_two(tmp_path, scope, name):
    path = tmp_path / name
    path.write_text(render(name, place(tmp_path, scope)))
    found = exposure(path)
    assert found is not None
    assert found <= 2.0


@needs_systemd
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path):
    program = tmp_path / "venv" / "bin" / "hean"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / EXECUTOR
    unit.write_text(render(EXECUTOR, place(tmp_path, "system", str(tmp_path / "venv"))))
    assert verify(unit) == ""


def test_the_executor_is_watched_and_restarted_but_not_where_a_person_is_needed(tmp_path):
    lines = render(EXECUTOR, place(tmp_path, "system")).splitlines()
    for wanted in (
        "Type=notify",
        "WatchdogSec=180",
        "Restart=on-failure",
        "RestartPreventExitStatus=2 3",
        "StartLimitBurst=8",
        "ExecStart=/opt/hean/.venv/bin/hean live",
        f"LoadCredential=api_secret:{tmp_path}/credentials/api_secret",
    ):
        assert wanted in lines
    assert "$" not in "\n".join(line for line in lines if not line.startswith("#"))


def test_a_program_installed_in_a_home_is_the_only_thing_seen_of_homes(tmp_path):
    text = render(EXECUTOR, place(tmp_path, "system", "/home/me/hean/.venv"))
    assert "ProtectHome=tmpfs" in text
    assert "BindReadOnlyPaths=/home/me/hean/.venv" in text


def test_a_path_that_a_unit_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="blanks"):
        render(EXECUTOR, place(tmp_path, "system", "/opt/my hean/.venv"))


def test_writing_twice_changes_nothing_the_second_time(tmp_path):
    where = place(tmp_path)
    first = write_units(UNITS, where, tmp_path / "units", dry_run=False)
    second = write_units(UNITS, where, tmp_path / "units", dry_run=False)
    assert [unit.changed for unit in first] == [True, True]
    assert [unit.changed for unit in second] == [False, False]
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == sorted(UNITS)


def test_secrets_that_others_can_read_are_named(tmp_path):
    where = place(tmp_path)
    where.credentials.mkdir()
    for name, mode in (("api_key", 0o600), ("api_secret", 0o644)):
        (where.credentials / name).write_text("x")
        (where.credentials / name).chmod(mode)
    (problem,) = credential_problems(where)
    assert "api_secret" in problem
    assert "chmod 600" in problem


def test_a_system_service_has_no_home_of_ones_own(tmp_path):
    with pytest.raises(ConfigError, match="--system"):
        place_of("system", tmp_path)


def test_the_command_shows_and_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert main(["install-service", "--user", "--home", str(tmp_path / "home"), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "[Service]" in shown
    assert not (tmp_path / "config").exists()
    assert main(["install-service", "--user", "--home", str(tmp_path / "home"), "--only", "executor"]) == 0
    unit = tmp_path / "config/systemd/user" / EXECUTOR
    assert f"Environment=HEAN_HOME={tmp_path}/home" in unit.read_text()
    assert str(ROOT) in unit.read_text() or "bin/hean live" in unit.read_text()
