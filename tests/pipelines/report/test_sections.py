from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from hean_pipelines.report import subject as subjects
from hean_pipelines.report.sections import evidence, summary
from hean_pipelines.report.sections.calibration import levels_of, share_below, wilson
from hean_pipelines.report.sections.coverage import _numbered, stretches
from hean_pipelines.report.sections.orders import blocked
from hean_pipelines.report.sections.realised import cumulative_gain
from hean_pipelines.report.sections.skill import ratio_cell
from hean_pipelines.report.sections.trades import _pairs
from hean_pipelines.report.subject import Forecasts, Subject
from hean_pipelines.report.svg import DAY_NS
from models.evidence import premium_study
from models.funding import evaluation
from models.funding.candidates import CANDIDATES


def test_constants_repeated_for_a_light_import_are_those_of_models() -> None:
    assert subjects.POOLED == evaluation.POOLED
    assert evidence.PASSES_ABOVE == premium_study.PASSES_ABOVE
    assert set(evidence._TONES) == {premium_study.PASSED, premium_study.FAILED}
    assert set(subjects.MODEL_WORDS) == set(CANDIDATES)


def test_every_model_keeps_its_colour_whatever_else_is_shown() -> None:
    few = Subject("ridge", True, "", 90, (), ("ridge", "b_new", "a_new"))
    assert few.colour("ridge") == f"m{CANDIDATES.index('ridge')}"
    assert {few.colour("a_new"), few.colour("b_new")} == {"m8", "m9"}


@pytest.mark.parametrize(("hits", "count"), [(0, 20), (5, 20), (190, 200), (20, 20)])
def test_interval_of_a_share_agrees_with_scipy(hits: int, count: int) -> None:
    expected = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson(hits / count, count) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_rates_on_their_quantile_count_half() -> None:
    realised = np.array([1e-4, 1e-4, 2e-4, 0.5e-4])
    assert share_below(realised, np.full(4, 1e-4)) == pytest.approx(0.25 + 0.5 * 0.5)


def test_calibration_uses_every_quantile_column_there_is() -> None:
    random = np.random.default_rng(5)
    realised = random.normal(size=4000)
    names = {"q05": -1.6449, "q25": -0.6745, "q50": 0.0, "q75": 0.6745, "q95": 1.6449}
    frame = pl.DataFrame({"realised": realised, **{name: np.full(4000, z) for name, z in names.items()}})
    frame = frame.with_columns(model=pl.lit("m"), symbol=pl.lit("S"), horizon_min=pl.lit(90))
    levels = levels_of(frame, list(names), "m", "S", 90, "h0")
    assert levels is not None
    assert levels.nominal == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert levels.shares == pytest.approx(levels.nominal, abs=0.02)
    assert levels_of(frame.head(9), list(names), "m", "S", 90, "h0") is None


def _forecasts(times: list[int], predicted: list[float], realised: list[float]) -> Forecasts:
    nothing = np.full(len(times), np.nan)
    return Forecasts(np.array(times), np.array(predicted), nothing, nothing, nothing, np.array(realised))


def test_gain_over_a_baseline_is_summed_where_both_forecast() -> None:
    own = _forecasts([2, 3, 4], [1.0, 2.0, 2.0], [1.0, 1.0, 2.0])
    other = _forecasts([1, 2, 3], [9.0, 3.0, 1.0], [1.0, 1.0, 1.0])
    times, gain = cumulative_gain(own, other)
    assert times.tolist() == [2, 3]
    assert gain.tolist() == [4.0, 3.0]


def _days(shares: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "dataset": "d",
            "symbol": "S",
            "date": [date(1970, 1, 1) + timedelta(days=i) for i in range(len(shares))],
            "rows": [have for have, _ in shares],
            "expected_rows": [expected for _, expected in shares],
        }
    )


def test_equal_days_are_joined_and_almost_complete_is_not_complete() -> None:
    frame = _numbered(_days([(288, 288), (288, 288), (287, 288), (0, 288), (288, 288)]))
    found = [(a // DAY_NS, b // DAY_NS, share) for a, b, share, _ in stretches(frame, 0, 1)]
    assert found == [(0, 2, 1.0), (2, 3, 0.99), (3, 4, 0.0), (4, 5, 1.0)]
    steps = [(a // DAY_NS, b // DAY_NS, share) for a, b, share, _ in stretches(frame, 0, 2)]
    assert steps == [(0, 2, 1.0), (2, 4, 0.5), (4, 5, 1.0)]


def test_dates_may_be_text() -> None:
    frame = _days([(1, 1), (1, 1)])
    text = frame.with_columns(pl.col("date").cast(pl.String))
    assert _numbered(text)["number"].to_list() == _numbered(frame)["number"].to_list() == [0, 1]


def test_blocks_are_counted_by_reason_and_a_rearmed_switch_is_none() -> None:
    bodies = [
        ("block", {"reason": "SIZER_ZERO", "arithmetic": "first"}),
        ("block", {"reason": "SIZER_ZERO", "arithmetic": "second"}),
        ("block", {}),
        ("kill_switch", {"state": "tripped", "reason": "a person"}),
        ("kill_switch", {"state": "armed", "was": "a person"}),
        ("start", {"reason": "not a block"}),
    ]
    frame = pl.DataFrame(
        [{"at_ns": i, "kind": kind, "body": json.dumps(body)} for i, (kind, body) in enumerate(bodies)]
    )
    [table] = blocked(frame)
    counted = {row.cells[0].text: (row.cells[1].text, row.cells[3].text) for row in table.rows}
    assert counted == {
        "SIZER_ZERO": ("2", "second"),
        "no reason noted": ("1", "–"),
        "KILL_SWITCH": ("1", "a person"),
    }
    [note] = blocked(frame.filter(pl.col("kind") == "start"))
    assert note.text == "Nothing was blocked. Events in the journal: start 1."


def test_live_is_compared_with_shadow_decision_by_decision() -> None:
    trades = [
        {"trade_id": "live-S1-BTCUSDT-7", "mode": "live", "pnl_bps": 5.0},
        {"trade_id": "shadow-S1-BTCUSDT-7", "mode": "shadow", "pnl_bps": 2.0},
        {"trade_id": "shadow-S1-ETHUSDT-7", "mode": "shadow", "pnl_bps": 90.0},
    ]
    [note] = _pairs(trades)
    assert note.text.startswith("1 decision was traded both live and in shadow: live earned +3.00 bps")
    assert _pairs(trades[1:]) == []


def test_ratios_are_green_below_one_and_red_above() -> None:
    assert (ratio_cell(0.5).tone, ratio_cell(2.0).tone) == ("good", "bad")
    assert (ratio_cell(None).text, ratio_cell(float("nan")).text) == ("–", "–")


def test_the_share_of_the_lake_is_not_that_of_its_largest_dataset() -> None:
    half = _days([(144, 288), (144, 288)])
    # A day of trades is complete with any row, and has a million.
    trades = _days([(1_000_000, 1_000_000), (1_000_000, 1_000_000)]).with_columns(dataset=pl.lit("trades"))
    assert summary.mean_share(pl.concat([half, trades])) == 0.75
    more = _days([(300, 288)]).with_columns(dataset=pl.lit("more"))
    assert summary.mean_share(more) == 1.0
    assert summary.mean_share(half.head(0)) == 0.0
