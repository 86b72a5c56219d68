from __future__ import annotations

import doctest
import json
import math
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ConfigError
from models.portfolio.conviction import (
    CapitalRule,
    ConvictionRules,
    TrackRecord,
    convict,
    kelly_fraction,
    record_in,
    size_entry,
    volatility_factor,
)
from models.portfolio.regime_matrix import Trade, build_matrix
from models.portfolio.roster import STRATEGIES
from models.portfolio.sizing import Sized, SizeRequest, SizerZero
from tests.support import ROOT, shared_path

RULES = ConvictionRules()
REQUEST = SizeRequest(
    equity=D(10000),
    price=D(3000),
    stop_fraction=D("0.02"),
    qty_step=D("0.01"),
    min_qty=D("0.01"),
    min_notional=D(5),
    leverage=D(3),
)
ANY = st.one_of(st.floats(allow_nan=True), st.floats(0.0, 5.0), st.sampled_from([0.2, 0.5, 2.5]))


def _convict(
    factors=None, record=None, left: float = 1.0, exploring: bool = False, strategy="impulse_engine"
):
    return convict(strategy, factors or {}, record, left, exploring, RULES)


@pytest.mark.parametrize(
    ("factors", "multiplier"),
    [
        ({}, 1.0),
        ({"whale_cvd": 2.5}, 2.5),
        ({"whale_cvd": 2.5, "vpin": 1.25}, 2.5),
        ({"whale_cvd": 2.5, "hurst": 0.5, "probation": 0.2}, 0.25),
        ({"a": math.nan}, 0.0),
        ({"a": -1.0, "b": -1.0}, 0.0),
        ({"a": math.inf}, 2.5),
        ({"a": math.inf, "b": 0.0}, 0.0),
    ],
)
def test_the_product_is_clipped(factors, multiplier: float) -> None:
    assert _convict(factors).multiplier == pytest.approx(multiplier)


@pytest.mark.parametrize(
    ("strategy", "factor", "capital"),
    [
        ("impulse_engine", 1.0, 0.008),
        ("impulse_engine", 2.5, 0.02),
        ("impulse_engine", 0.2, 0.0016),
        ("funding_pressure", 1.0, 0.02),
        ("funding_pressure", 2.5, 0.03),
        ("liquidation_hunter", 2.5, 0.02),
    ],
)
def test_capital_reaches_r1_and_not_more(strategy: str, factor: float, capital: float) -> None:
    found = _convict({"x": factor}, strategy=strategy)
    assert found.capital_fraction == pytest.approx(capital)
    assert found.risk_fraction == pytest.approx(0.01 * min(factor, 1.0))


def test_what_is_left_of_the_allocation_binds() -> None:
    assert _convict({"x": 2.5}, left=0.001).capital_fraction == 0.001
    assert _convict({"x": 2.5}, left=-0.1).capital_fraction == 0.0
    assert _convict({"x": 2.5}, left=math.nan).capital_fraction == 0.0


@pytest.mark.parametrize(
    ("volatility", "factor"),
    [
        (0.02, 1.0),
        (0.04, 1.0),
        (0.08, 0.5),
        (0.16, 0.25),
        (math.nan, 0.5),
        (0.0, 0.5),
        (-1.0, 0.5),
        (math.inf, 0.5),
    ],
)
def test_volatility(volatility: float, factor: float) -> None:
    assert volatility_factor(volatility, RULES) == pytest.approx(factor)


def test_kelly_of_the_references() -> None:
    for case in json.loads(shared_path("reference_vectors/kelly_beta_shrinkage.json").read_text())["kelly"]:
        found = kelly_fraction(case["p"], case["payoff"], 1.0)
        assert found == pytest.approx(case["capped_at_0"], abs=1e-15)
    assert kelly_fraction(0.5, 13.75, 7.0) == pytest.approx(0.24545454545454543)
    assert kelly_fraction(0.6, 1.0, 0.0) == 0.6
    assert kelly_fraction(0.0, 0.0, 1.0) == 0.0


@pytest.mark.parametrize(
    ("record", "exploring", "risk"),
    [
        (None, False, None),
        (TrackRecord(29, 0.1, 1.0, 1.0), False, None),
        (TrackRecord(30, 0.1, 1.0, 1.0), False, 0.0),
        (TrackRecord(30, 0.51, 1.0, 1.0), False, 0.005),
        (TrackRecord(30, 0.6, 1.0, 1.0), False, 0.01),
        (TrackRecord(30, 0.1, 1.0, 1.0), True, 0.0005),
    ],
)
def test_a_quarter_of_kelly_capped(record, exploring: bool, risk: float | None) -> None:
    assert _convict(record=record, exploring=exploring).kelly_risk == pytest.approx(risk)


def test_a_regime_has_its_own_record_with_the_trades_of_all():
    by_regime = {
        "RANGE": TrackRecord(10, 0.6, 12.0, 8.0),
        "DISTRIBUTION": TrackRecord(30, 0.4, 4.0, 4.0),
        "UNKNOWN": TrackRecord(50, math.nan, 1.0, 1.0),
        "HIGH_ENTROPY": TrackRecord(0, 0.9, 1.0, 1.0),
    }
    assert record_in("RANGE", by_regime) == TrackRecord(40, 0.6, 12.0, 8.0)
    # Where nothing was traded: the others by their trades.
    pooled = TrackRecord(40, pytest.approx(0.45), pytest.approx(6.0), pytest.approx(5.0))
    assert record_in("IMPULSE_MARKUP", by_regime) == pooled
    assert record_in("UNKNOWN", by_regime) == pooled
    assert record_in("RANGE", {}) is None
    assert record_in("UNKNOWN", {"UNKNOWN": by_regime["UNKNOWN"]}) is None


def test_the_matrix_gives_the_record():
    (cell,) = build_matrix([Trade("a", "RANGE", i, 10.0 if i < 30 else -1.0) for i in range(50)])
    own = TrackRecord(cell.n, cell.win_rate_shrunk, cell.mean_win_shrunk_usd, cell.mean_loss_shrunk_usd)
    record = record_in("RANGE", {"RANGE": own})
    assert record.win_rate == pytest.approx(0.5961538461538461)  # Beta(31, 21)
    # 0.596 − 0.404 ÷ 10 of which a quarter is above the cap.
    assert _convict(record=record).kelly_risk == pytest.approx(0.01)


def _fields(sized: Sized | SizerZero) -> tuple[D, D]:
    return (sized.notional, sized.risk) if isinstance(sized, Sized) else (D(0), D(0))


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(STRATEGIES),
    st.dictionaries(st.sampled_from(["whale_cvd", "vpin", "hurst", "probation", "volatility"]), ANY),
    st.one_of(
        st.none(),
        st.builds(
            TrackRecord,
            st.integers(0, 1000),
            st.floats(0.0, 1.0),
            st.floats(0.0, 1e6),
            st.floats(0.0, 1e6),
        ),
    ),
    ANY,
    st.booleans(),
    st.decimals(D("50"), D("1e6"), places=2),
    st.decimals(D("0.001"), D("0.5"), places=3),
)
def test_never_above_r1(strategy, factors, record, left, exploring, equity, stop) -> None:
    conviction = convict(strategy, factors, record, left, exploring, RULES)
    sized = size_entry(replace(REQUEST, equity=equity, stop_fraction=stop), conviction)
    notional, risk = _fields(sized)
    limit = D("0.03") if strategy == "funding_pressure" else D("0.02")
    assert notional / REQUEST.leverage <= limit * equity
    assert risk <= D("0.01") * equity
    assert 0.0 <= conviction.multiplier <= 2.5
    assert conviction.words in sized.arithmetic


@settings(deadline=None, max_examples=400)
@given(
    st.dictionaries(st.sampled_from(["whale_cvd", "vpin", "hurst"]), st.floats(0.0, 4.0), min_size=1),
    st.data(),
)
def test_monotone_in_every_factor_and_the_allocation(factors, data) -> None:
    name = data.draw(st.sampled_from(sorted(factors)))
    left, more_left = sorted(data.draw(st.tuples(st.floats(0.0, 0.05), st.floats(0.0, 0.05))))
    better = {**factors, name: factors[name] + data.draw(st.floats(0.0, 4.0))}
    worse, best = _convict(factors, left=left), _convict(better, left=more_left)
    assert best.multiplier >= worse.multiplier
    assert _fields(size_entry(REQUEST, best))[0] >= _fields(size_entry(REQUEST, worse))[0]


@given(
    st.integers(30, 200), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.1, 10.0), st.floats(1.0, 3.0)
)
def test_monotone_in_the_track_record(
    trades: int, win_rate: float, more: float, win: float, better: float
) -> None:
    def kelly(p: float, mean_win: float, mean_loss: float) -> float:
        found = _convict(record=TrackRecord(trades, p, mean_win, mean_loss)).kelly_risk
        assert found is not None
        return found

    low, high = sorted((win_rate, more))
    assert kelly(high, win, 1.0) >= kelly(low, win, 1.0)
    assert kelly(low, win * better, 1.0) >= kelly(low, win, 1.0)
    assert kelly(low, win, 1.0) >= kelly(low, win, better)


@given(st.floats(0.001, 10.0), st.floats(0.001, 10.0))
def test_monotone_in_volatility(a: float, b: float) -> None:
    calm, wild = sorted((a, b))
    assert volatility_factor(calm, RULES) >= volatility_factor(wild, RULES)


def test_sizer_zero_explains_itself_on_300_dollars() -> None:
    small = replace(REQUEST, equity=D(300), price=D(90000), qty_step=D("0.001"), min_qty=D("0.001"))
    found = size_entry(small, _convict({"probation": 0.2}))
    assert isinstance(found, SizerZero)
    assert found.reason == "SIZER_ZERO"
    assert found.arithmetic == (
        "probation 0.2 = 0.2, clipped to 0.2; margin min(0.008 × 0.2, R1 0.02, allocation left 1) = 0.0016;"
        " risk 0.01 × 0.2 = 0.002; no Kelly bound with 0 trades < 30;"
        " equity 300.00 USD, risk 0.20000000 % at a stop of 2.00 %, capital 0.16000000 % × leverage 3, volatility"
        " scale 1: notional allowed by risk 30.00 USD, capital 1.44 USD; capital binds: 0.00001600 at 90000"
        " < minimum quantity 0.001; the smallest tradable lot 0.001 binds 90.00 USD and risks 1.80 USD > 0.60 USD"
    )


def test_rules_out_of_range_are_errors() -> None:
    for wrong in ({"capital": CapitalRule(0.03, 0.02)}, {"kelly_part": 1.1}, {"risk_fraction": -0.1}):
        with pytest.raises(ConfigError, match="expected"):
            ConvictionRules(**wrong)


def test_the_page_runs() -> None:
    page = str(ROOT / "docs" / "portfolio.md")
    found = doctest.testfile(page, module_relative=False, encoding="utf-8")
    assert found.attempted > 0
    assert found.failed == 0
