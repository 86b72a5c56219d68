"""The sections on the policy in force and on the strategies' first steps: every figure shown is that of the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hean_pipelines.report.build import build_report
from hean_pipelines.report.inputs import FIRST_STEPS
from models.portfolio.roster import STRATEGIES
from tests.pipelines.report.page import Page, parse
from tests.pipelines.report.sample_home import add_steps_and_signals

POLICY = "lake/learning/policy.json"


def built(home: Path) -> Page:
    return parse(build_report(home).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def full_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_steps_and_signals(Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("full") / "home")))


@pytest.fixture(scope="module")
def full_page(full_home: Path) -> Page:
    return built(full_home)


def test_every_strategy_has_its_state_share_and_reason(full_page: Page) -> None:
    rows = full_page.table("What each strategy may do")
    assert [row["strategy"] for row in rows] == list(STRATEGIES)
    by_name = {row["strategy"]: row for row in rows}
    live = by_name["funding_pressure"]
    assert (live["id"], live["state"], live["share"], live["base"]) == (
        "S1",
        "live",
        "12.0 %",
        "10.0 %",
    )
    assert live["why"].startswith("PROMOTED: studies E1, backtest and shadow")
    assert "STEP: 0.05 towards 0.12" in live["why"]
    assert by_name["sentiment"]["state"] == "off"
    assert "12 of 50 shadow trades" in by_name["oi_momentum"]["why"]


def test_symbols_say_buffer_and_probation(full_page: Page) -> None:
    btc, sol = full_page.table("How each symbol is traded")
    assert (btc["symbol"], btc["slippage buffer bps"], btc["probation"]) == ("BTCUSDT", "1.50", "free")
    assert sol["probation"].startswith("size × 0.2 since")
    assert "PROBATION: 5 of 6 lost" in sol["why"]


def test_rotations_come_from_the_newest_signals(full_page: Page) -> None:
    rows = full_page.table("Rotations")
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert {row["regime in force"] for row in rows} == {"RANGE"}
    assert "hf_scalping" in rows[0]["the rotator lets in"]


def test_a_policy_held_by_a_person_says_so(home: Path) -> None:
    path = home / POLICY
    body = json.loads(path.read_text())
    path.write_text(json.dumps(body | {"is_held": True, "registered": 9}))
    assert "held by a person; version 9 waits" in built(home).text


def test_a_changed_policy_is_not_believed(home: Path) -> None:
    path = home / POLICY
    body = json.loads(path.read_text())
    body["document"] = body["document"].replace("0.12", "0.35")
    path.write_text(json.dumps(body))
    page = built(home)
    assert "The policy cannot be read, and the executor refuses it too" in page.text
    assert "What each strategy may do" not in page.tables


def test_without_a_policy_the_page_says_what_makes_one(home: Path) -> None:
    (home / POLICY).unlink()
    page = built(home)
    assert page.faults == []
    assert "lake/learning/policy.json is absent" in " ".join(page.text.split())


def test_first_steps_show_what_the_studies_left(full_home: Path, full_page: Page) -> None:
    rows = {row["id"]: row for row in full_page.table("First step of each strategy")}
    assert set(rows) == {f"S{i}" for i in range(1, 13)}
    body = json.loads((full_home / "lake/evidence/s5.json").read_text())
    assert rows["S5"]["signals"] == f"{body['n']:,}"
    assert rows["S5"]["worth bps"] == f"{body['estimate']:+,.1f}".replace("-", "−")
    assert rows["S5"]["verdict"].startswith(body["verdict"])
    assert "synthetic: planted truth, seed 1" in rows["S5"]["verdict"]
    assert "Not run here: S13, S14" in full_page.text


def test_a_step_without_figures_is_shown_as_such(home: Path) -> None:
    add_steps_and_signals(home)
    for name in FIRST_STEPS[1:]:
        (home / f"lake/evidence/{name}.json").unlink(missing_ok=True)
    path = home / "lake/evidence/s1.json"
    body = json.loads(path.read_text())
    empty = {"estimate": None, "low": None, "high": None, "n": 0, "rows": [], "verdict": "not enough data"}
    path.write_text(json.dumps(body | empty))
    page = built(home)
    assert page.faults == []
    (row,) = page.table("First step of each strategy")
    assert (row["worth bps"], row["95 % interval bps"], row["least found bps"]) == ("–", "–", "–")
