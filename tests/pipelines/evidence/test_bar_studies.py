"""First steps on bars of the lake: planted effects are found in made-up bars, noise is not; command, asset, recorded bars."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
import pytest

from hean_live.cli import main
from hean_pipelines.defs.evidence.tape_studies import tape_study_definitions
from hean_pipelines.resources.products import Products
from hean_pipelines.settings import load_settings
from hean_pipelines.studies.bar_tapes import bar_tapes
from hean_pipelines.studies.first_step import run
from hean_pipelines.studies.questions import QUESTIONS
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED
from models.strategies.catalogue import CATALOGUE
from tests.pipelines.evidence.made_bars import (
    BAR_NS,
    DAY_BARS,
    HOUR_NS,
    INTEREST,
    PERP,
    SPOT,
    START_NS,
    reverting,
    tape_of,
    walk,
    write_bars,
    write_interest,
    write_rates,
)
from tests.support import shared_path

STUDY = [EntryPoint("study", "hean_pipelines.commands.study:add_parser", "hean.commands")]
DAYS = 45
LOCAL = "http://127.0.0.1:9"


def write_basis(root: Path, premium: Any) -> None:
    spot = walk(1, len(premium))
    write_bars(root, SPOT, "BTCUSDT", spot)
    write_bars(root, PERP, "BTCUSDT", np.round(spot * (1.0 + premium), 1))


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home whose lake holds a premium that closes with a half-life of two hours."""
    home = tmp_path_factory.mktemp("basis")
    write_basis(home / "lake", reverting(2, DAYS * DAY_BARS, 40.0, 7200.0))
    return home


def test_a_gap_that_closes_is_found_and_one_that_stays_is_not(basis: Path, tmp_path: Path) -> None:
    found = run("basis_arbitrage", tape_of("basis_arbitrage", basis / "lake"))
    assert (found.verdict, found.market.kind) == (PASSED, "recorded")
    assert found.unknown_ingredients() == []
    assert all(balance.holds for balance in found.balances)
    # Entered at 48 bps on average, of which three quarters are gone after two half-lives.
    assert 30.0 < found.figures[0].estimate < 50.0
    # Wide all the time, and coming back to its mean in weeks only.
    write_basis(tmp_path, 0.008 + reverting(3, DAYS * DAY_BARS, 20.0, 20 * 86_400.0))
    null = run("basis_arbitrage", tape_of("basis_arbitrage", tmp_path))
    assert null.counts["measured"] > 50
    assert null.verdict == FAILED


def test_funding_is_received_at_the_rate_settled(tmp_path: Path) -> None:
    write_bars(tmp_path, PERP, "BTCUSDT", walk(5, DAYS * DAY_BARS))
    rates = np.where(np.arange(3 * DAYS) // 20 % 2, -0.003, 0.003)
    write_rates(tmp_path, "BTCUSDT", rates)
    found = run("funding_harvester", tape_of("funding_harvester", tmp_path))
    by_name = {figure.name: figure for figure in found.figures}
    assert by_name["of it funding"].estimate == pytest.approx(30.0)
    assert found.counts["measured"] > 100
    assert found.details["sides"]["bought"] > 20  # the paid side both ways
    assert found.details["sides"]["sold"] > 20
    assert found.verdict == PASSED
    assert by_name["beyond costs"].estimate == pytest.approx(by_name["worth of a signal"].estimate - 8.0)


def test_a_rising_interest_that_says_something_is_found(tmp_path: Path) -> None:
    random, bars = np.random.default_rng(8), DAYS * DAY_BARS
    moves, interest = random.normal(0.0, 3e-4, bars), np.full(bars + 1, 50_000.0)
    for start in range(500, bars - 30, 90):
        moves[start : start + 3] += 0.002
        moves[start + 3 : start + 15] += 0.0008
        interest[start:] *= 1.02
    # Rises as large that nothing follows, and with which nobody opened a position.
    for start in range(545, bars - 30, 90):
        moves[start : start + 3] += 0.002
    moves -= moves.mean()
    write_bars(tmp_path, PERP, "BTCUSDT", np.round(60_000.0 * np.exp(np.cumsum(moves)), 1))
    write_interest(tmp_path, "BTCUSDT", interest)
    found = run("oi_momentum", tape_of("oi_momentum", tmp_path))
    assert found.verdict == PASSED
    assert found.figures[0].estimate > 40.0


def test_a_lake_says_what_it_lacks(tmp_path: Path) -> None:
    write_bars(tmp_path, PERP, "BTCUSDT", walk(3, DAY_BARS))
    for strategy, words in (
        ("basis_arbitrage", "the lake holds no spot"),
        ("funding_harvester", "the lake holds no funding, no forecast"),
        ("oi_momentum", "the lake holds no open interest"),
        ("sentiment", "the lake holds no sentiment"),
    ):
        outcome = run(strategy, tape_of(strategy, tmp_path))
        assert (outcome.verdict, outcome.reason) == (NOT_ENOUGH_DATA, words)
    assert bar_tapes("basis_arbitrage", tmp_path / "empty", "recorded") == []


def test_questions_bars_can_answer_name_the_assets_their_strategies_need() -> None:
    of_need = {
        "spot": SPOT,
        "open interest": INTEREST,
        "forecast": "forecast_funding__out_of_sample",
        "funding": "mart_bybit__settlement_funding",
        "sentiment": "mart_sentiment__fear_greed",
    }
    for name, question in QUESTIONS.items():
        if question.bars:
            needed = {of_need[need] for need in CATALOGUE[name].needs if need in of_need}
            assert {PERP} | needed <= set(question.bars)
            assert (question.horizon_s % 60.0, question.back_s % 60.0) == (0.0, 0.0)


def command(home: Path, *arguments: str) -> int:
    return main(["study", *arguments, "--home", str(home)], STUDY)


def test_the_command_reads_the_lake(basis: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(basis, "strategy:S14", "--market", "bars", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["study"], row["verdict"], row["market"]["kind"]) == ("S14", "passed", "recorded")
    assert (basis / "report" / "studies" / "s14_recorded.json").is_file()


def test_bars_of_a_venue_on_this_machine_count_as_synthetic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hean.toml").write_text(f'[pipelines]\nvenue_url = "{LOCAL}"\n')
    write_bars(tmp_path / "lake", PERP, "BTCUSDT", walk(3, DAY_BARS))
    assert command(tmp_path, "strategy:all", "--market", "bars", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["study"] for row in rows] == ["S1", "S2", "S14", "S15", "S16", "S17", "S18"]
    assert {row["market"]["kind"] for row in rows} == {"synthetic"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["strategy:S9", "--market", "bars"], "one of moves within a bar"),
        (["strategy:S14", "--market", "bars"], "hean backfill"),
        (["E5", "--market", "bars"], "--market bars is for strategies"),
        (["strategy:S14", "--market", "bars", "--tape", "x"], "--market bars"),
        (["strategy:S14", "--market", "bars", "--days", "3"], "are for the synthetic market"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(tmp_path, *arguments) == 2
    assert words in capsys.readouterr().err


def test_the_asset_speaks_of_the_lakes_bars(basis: Path) -> None:
    settings = load_settings(home=basis)
    name = "evidence_strategy__basis_arbitrage"
    assets = tape_study_definitions(settings).assets or []
    asset = next(a for a in assets if a.key.to_user_string() == name)  # type: ignore[union-attr]
    assert dg.materialize([asset]).success
    products = Products(settings.lake_root)
    body = products.read_json(products.study("S14"))
    assert body is not None
    assert (body["verdict"], body["market"]["kind"]) == ("passed", "recorded")


def test_recorded_bars_are_judged(tmp_path: Path) -> None:
    for dataset, file in ((PERP, "bybit_perp_klines_5m"), (SPOT, "bybit_spot_klines_5m")):
        frame = pl.read_parquet(shared_path(f"data/history/{file}.parquet"))
        frame = frame.filter(pl.col("symbol") == "BTCUSDT").with_columns(
            ts=pl.col("ts").dt.epoch("ns").cast(pl.Int64)
        )
        first_ns = START_NS + 100 * 24 * HOUR_NS
        part = frame.filter(pl.col("ts").is_between(first_ns, first_ns + 30 * 24 * HOUR_NS)).sort("ts")
        assert part.height > 20 * DAY_BARS
        at_ns, close = part["ts"].to_numpy(), part["close"].to_numpy()
        places = (at_ns - first_ns) // BAR_NS
        closes = np.ones(int(places[-1]) + 1)
        closes[places] = close
        missing = tuple(np.setdiff1d(np.arange(len(closes)), places).tolist())
        write_bars(tmp_path, dataset, "BTCUSDT", closes, missing)
    outcome = run("basis_arbitrage", tape_of("basis_arbitrage", tmp_path))
    # In these weeks the gap never exceeded what four takers' fills cost.
    assert (outcome.verdict, outcome.counts["signals"]) == (NOT_ENOUGH_DATA, 0)
    assert outcome.counts["events"] > 30_000
