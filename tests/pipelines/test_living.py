"""Runs of killed processes are given up and their slots freed; those of living ones are left alone. Processes are real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.living import TAG, free_the_dead, process_tag
from hean_pipelines.settings import PipelineSettings, load_settings
from tests.support import ROOT


@pytest.fixture
def settings(tmp_path: Path) -> PipelineSettings:
    return load_settings(home=tmp_path)


@pytest.fixture
def other(settings: PipelineSettings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that says its tag and then waits."""
    script = textwrap.dedent(
        f"""
        import sys
        from hean_pipelines.living import TAG, process_tag
        from hean_pipelines.settings import load_settings
        print(process_tag(load_settings(home={str(settings.home)!r}))[TAG], flush=True)
        sys.stdin.read()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    if process.poll() is None:
        process.kill()
    process.communicate()


def begun(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    @dg.job
    def nothing() -> None:
        pass

    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED, tags=tags)
    return run.run_id


def test_the_tag_of_a_process_is_the_same_for_all_its_runs(settings: PipelineSettings) -> None:
    tag = process_tag(settings)
    assert process_tag(settings) == tag
    assert (settings.dagster_home / "processes" / tag[TAG]).exists()


def test_runs_of_living_processes_and_of_the_daemon_are_left_alone(
    settings: PipelineSettings, other: tuple[subprocess.Popen[str], str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [begun(instance, tags) for tags in (process_tag(settings), {TAG: other[1]}, {})]
        assert free_the_dead(instance, settings) == []
        assert [instance.get_run_by_id(run).status for run in runs] == [dg.DagsterRunStatus.STARTED] * 3


def test_a_killed_process_gives_back_its_runs_and_their_slots(
    settings: PipelineSettings, other: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, name = other
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = begun(instance, {TAG: name})
        instance.event_log_storage.set_concurrency_slots("bybit", 1)
        claim = instance.event_log_storage.claim_concurrency_slot("bybit", run, "step")
        assert claim.is_claimed
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert free_the_dead(instance, settings) == [run]
        assert instance.get_run_by_id(run).status is dg.DagsterRunStatus.FAILURE
        assert instance.event_log_storage.claim_concurrency_slot("bybit", "another", "step").is_claimed
        assert free_the_dead(instance, settings) == []
        assert not (settings.dagster_home / "processes" / name).exists()


def test_a_process_that_ends_well_leaves_no_lock(
    settings: PipelineSettings, other: tuple[subprocess.Popen[str], str]
) -> None:
    process, name = other
    assert (settings.dagster_home / "processes" / name).exists()
    process.communicate("")
    assert process.returncode == 0
    assert not (settings.dagster_home / "processes" / name).exists()
