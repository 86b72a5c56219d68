"""Each study on short planted markets and on recordings: figures, balances, reasons, pictures, JSON."""

from __future__ import annotations

import functools
import json
import math

import pytest

from hean_pipelines.studies.catalogue import ELSEWHERE, STUDIES, body_of
from hean_pipelines.studies.exhaustion import regime_of
from hean_pipelines.studies.outcome import Balance, Figure, Market, Outcome, without_nan
from hean_pipelines.studies.planted import MARKETS, NULL, TRUTH, planted_parameters, planted_tape
from hean_pipelines.studies.power import size_and_power, wilson
from hean_pipelines.studies.recordings import find_recordings, open_tapes
from hean_pipelines.studies.variants import PERIODS, all_variants
from models.simulation.order_flow.parameters import check_parameters
from tests.support import shared_path

NAMES = sorted(STUDIES)
# Short of what the studies need but where it is cheap; the whole length is measured in docs/evidence.md.
HOURS = {"E2": 6.0, "E3": 1.0, "E5": 2.0, "E6": 1.0, "E7": 5.4}


@functools.cache
def outcome(name: str, which: str) -> Outcome:
    return STUDIES[name].run(planted_tape(name, which, 1, HOURS[name]), None)


@pytest.mark.parametrize("name", NAMES)
def test_planted_markets_are_markets(name: str) -> None:
    for which in (TRUTH, NULL):
        check_parameters(planted_parameters(name, which))
    assert set(MARKETS) == set(STUDIES)
    assert not set(ELSEWHERE) & set(STUDIES)


@pytest.mark.parametrize("name", NAMES)
def test_an_outcome_is_whole(name: str) -> None:
    own = outcome(name, TRUTH)
    assert own.reason
    assert all(balance.holds for balance in own.balances)
    assert own.balances
    assert own.unknown_ingredients() == []
    assert json.loads(json.dumps(own.to_json(), allow_nan=False))["verdict"] == own.verdict
    assert STUDIES[name].draw(own)[1:4] == b"PNG"


@pytest.mark.parametrize("name", ["E2", "E5"])
def test_the_planted_truth_is_found(name: str) -> None:
    own = outcome(name, TRUTH)
    assert own.verdict == "passed", own.reason
    first = own.figures[0]
    assert first.n > 0
    assert first.low <= first.estimate <= first.high


def test_whales_without_reversion_fail() -> None:
    own = outcome("E5", NULL)
    assert own.verdict == "failed"
    assert own.figures[0].low < 0.0 < own.figures[0].high


@pytest.mark.parametrize("name", ["E3", "E6"])
def test_too_few_events_are_not_enough_and_say_how_many(name: str) -> None:
    own = outcome(name, TRUTH)
    assert own.verdict == "not enough data"
    assert "needed" in own.reason
    assert not own.figures[0].is_known


def test_every_configuration_is_backtested_and_counted() -> None:
    own = outcome("E7", TRUTH)
    variants = all_variants()
    assert (own.counts["variants"], len(variants), own.counts["periods"]) == (16, 16, 64)
    assert own.counts["periods"] <= PERIODS
    rows = own.details["variants"]
    assert [row["variant"] for row in rows] == [v.name for v in variants]
    assert own.counts["traded"] == sum(1 for row in rows if row["fills"])
    # Nothing is forced here: S6 has nothing to fade, and says so instead of passing or failing.
    assert own.details["by_strategy"]["S6"]["verdict"] == "not enough data"
    deflated, _, out_of_sample = own.figures
    assert deflated.estimate > 0.95
    assert out_of_sample.low > 0.0
    assert sum(row["splits"] for row in own.details["chosen"]) == 28


def test_size_and_power_count_every_seed() -> None:
    null, truth = size_and_power(STUDIES["E5"], 2, 0.5)
    assert (null.market, truth.market) == (NULL, TRUTH)
    for share in (null, truth):
        assert share.passed + share.failed + share.not_enough == share.seeds == 2
    assert truth.passed >= null.passed


@pytest.mark.parametrize(
    ("passed", "seeds", "low", "high"),
    # Brown, Cai and DasGupta (2001), and the closed form of 0 of n: z²/(n + z²).
    [(0, 40, 0.0, 3.8414588 / 43.8414588), (40, 40, 40 / 43.8414588, 1.0), (5, 10, 0.2366, 0.7634)],
)
def test_wilsons_interval(passed: int, seeds: int, low: float, high: float) -> None:
    assert wilson(passed, seeds) == pytest.approx((low, high), abs=1e-4)


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_short_recording_is_not_enough_and_says_why(name: str) -> None:
    (recording, _), _ = find_recordings([shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")])
    tape = next(t for t in open_tapes(recording) if t.market.symbol == "BTCUSDT")
    own = STUDIES[name].run(tape, None)
    assert own.verdict == "not enough data"
    assert "needed" in own.reason or "need" in own.reason
    assert json.dumps(own.to_json(), allow_nan=False)
    assert STUDIES[name].draw(own)[1:4] == b"PNG"


@pytest.mark.parametrize("name", ["E2", "E3", "E5", "E6"])
def test_a_book_without_its_snapshot_is_said(name: str) -> None:
    (recording,), _ = find_recordings([shared_path("data/streams/hftbacktest__cm_btcusd_perp_20240809.gz")])
    own = STUDIES[name].run(open_tapes(recording)[0], None)
    assert own.verdict == "not enough data"
    assert "no valid book at any of" in own.reason


def test_whales_of_a_recording_are_judged() -> None:
    (recording,), _ = find_recordings([shared_path("data/streams/hftbacktest__spot_btcusdt_20240808.gz")])
    own = STUDIES["E5"].run(open_tapes(recording)[0], None)
    assert own.counts["whales"] > 200
    assert own.counts["measured"] > 200
    assert own.verdict in ("passed", "failed", "not enough data")
    assert any("clock ran at least" in note for note in own.market.notes)


def test_the_market_with_most_data_speaks() -> None:
    body = body_of(STUDIES["E5"], [outcome("E5", NULL), outcome("E5", TRUTH)])
    most = max((outcome("E5", w) for w in (NULL, TRUTH)), key=lambda o: o.figures[0].n)
    assert body["verdict"] == most.verdict
    assert body["passed"] == (most.verdict == "passed")
    assert body["market"]["kind"] == "synthetic"
    assert len(body["rows"]) == 2
    json.dumps(body, allow_nan=False)


def test_a_sum_that_does_not_come_out_and_a_figure_that_is_not_there_are_seen() -> None:
    market = Market("synthetic", "m", "X", 1, (), 1.0)
    unknown = Figure("f", "bps", 1.0, math.nan, math.nan, 3, math.nan, 0.0)
    own = Outcome("E5", market, "passed", "r", (unknown,), {}, (Balance("b", 3, (1, 1)),))
    assert not own.balances[0].holds
    assert own.unknown_ingredients() == ["f"]
    assert without_nan({"a": (math.nan, math.inf, 1.0)}) == {"a": [None, None, 1.0]}


@pytest.mark.parametrize(
    ("rate", "regime"),
    [
        (math.nan, "funding unknown"),
        (1e-4, "funding at base"),
        (2e-4, "funding high"),
        (0.0, "funding low"),
    ],
)
def test_funding_regimes(rate: float, regime: str) -> None:
    assert regime_of(rate) == regime
