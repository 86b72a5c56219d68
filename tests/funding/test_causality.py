"""No feature and no out-of-sample prediction depends on anything that became known later."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.funding.candidates import CANDIDATES
from models.funding.features import LOOKBACK_SETTLEMENTS, FeatureRow, FundingContext
from models.funding.inputs import HOUR_NS, MINUTE_NS, SOURCE_PREMIUM_INDEX, FundingInputs, intervals_h
from models.funding.table import FeatureTable, build_table
from models.funding.walk_forward import Predictions, walk_forward
from tests.funding.make_inputs import (
    DAY_NS,
    START_NS,
    concatenate,
    make_inputs,
    since,
    spoil_after,
)


def _changing_sources() -> FundingInputs:
    """Perp against spot for 20 days, then the venue's own index by the minute."""
    proxy = make_inputs(seed=5, schedule=((40.0, 8),))
    index = make_inputs(
        seed=5, schedule=((40.0, 8),), bar_min=1, source=SOURCE_PREMIUM_INDEX, offset=0.0, noise=0.0
    )
    switch = START_NS + 20 * DAY_NS
    names = ("premium_available_at", "premium_ts", "premium_bar_s", "premium", "premium_source")
    before, after = proxy.premium_available_at <= switch, index.premium_available_at > switch
    joined = {n: np.concatenate([getattr(proxy, n)[before], getattr(index, n)[after]]) for n in names}
    return FundingInputs(**{**proxy.__dict__, **joined})


def _with_holes() -> FundingInputs:
    """Settlements and bars missing here and there, and a hole of a day."""
    inputs = make_inputs(seed=6, schedule=((40.0, 8),))
    rng = np.random.default_rng(6)
    bars = rng.random(len(inputs.premium)) > 0.05
    hole = (inputs.premium_ts > START_NS + 15 * DAY_NS) & (inputs.premium_ts < START_NS + 16 * DAY_NS)
    bars &= ~hole
    settled = rng.random(len(inputs.rate)) > 0.05
    names = ("premium_available_at", "premium_ts", "premium_bar_s", "premium", "premium_source")
    kept = {n: getattr(inputs, n)[bars] for n in names}
    kept |= {n: getattr(inputs, n)[settled] for n in ("settlement_ts", "rate")}
    return FundingInputs(**{**inputs.__dict__, **kept})


HISTORIES = {
    "eight hours": make_inputs(seed=3, schedule=((40.0, 8),)),
    "shortening intervals": make_inputs(seed=4, schedule=((20.0, 8), (10.0, 4), (6.0, 2), (4.0, 1))),
    "changing sources": _changing_sources(),
    "with holes": _with_holes(),
}
CONTEXTS = {name: FundingContext(inputs) for name, inputs in HISTORIES.items()}


def _same(first: FeatureRow | None, second: FeatureRow | None) -> bool:
    if first is None or second is None:
        return first is second
    mine = (first.settlement_ns, first.made_at_ns, first.horizon_min, first.cap_lower, first.cap_upper)
    theirs = (second.settlement_ns, second.made_at_ns, second.horizon_min, second.cap_lower, second.cap_upper)
    return mine == theirs and first.values.tobytes() == second.values.tobytes()


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(HISTORIES)),
    share=st.floats(0.02, 0.999),
    minutes=st.integers(1, 470),
    nanoseconds=st.sampled_from([0, 0, 1, 30_000_000_000, 59_999_999_999]),
    seed=st.integers(0, 2**16),
)
def test_a_row_sees_only_what_was_known(
    name: str, share: float, minutes: int, nanoseconds: int, seed: int
) -> None:
    inputs = HISTORIES[name]
    position = max(int(share * len(inputs.settlement_ts)), 1)
    settlement = int(inputs.settlement_ts[position])
    hours = float(intervals_h(inputs.settlement_ts)[position])
    hours = 8.0 if np.isnan(hours) else hours
    at = settlement - minutes * MINUTE_NS + nanoseconds
    row = CONTEXTS[name].row(settlement, at, hours)
    assert _same(row, FundingContext(inputs.as_of(at)).row(settlement, at, hours))
    for wild in (False, True):
        spoiled = spoil_after(inputs, at, seed, wild=wild)
        assert _same(row, FundingContext(spoiled).row(settlement, at, hours))


def test_the_truncation_test_has_rows_to_compare() -> None:
    for name, inputs in HISTORIES.items():
        hours = intervals_h(inputs.settlement_ts)
        rows = [
            CONTEXTS[name].row(int(ts), int(ts) - 30 * MINUTE_NS, float(h))
            for ts, h in zip(inputs.settlement_ts[1:], hours[1:], strict=True)
            if not np.isnan(h)
        ]
        made = [r for r in rows if r is not None]
        assert len(made) > 60, name
        late = made[-1]
        assert np.isfinite(late.values).all(), name


def test_a_row_changes_with_what_was_known() -> None:
    inputs = HISTORIES["eight hours"]
    settlement = int(inputs.settlement_ts[90])
    at = settlement - 90 * MINUTE_NS
    row = CONTEXTS["eight hours"].row(settlement, at, 8.0)
    earlier = spoil_after(inputs, at - 5 * MINUTE_NS, 1, wild=False)
    assert not _same(row, FundingContext(earlier).row(settlement, at, 8.0))


@pytest.mark.parametrize(
    "schedule", [((75.0, 8),), ((20.0, 4), (6.0, 2), (8.0, 1))], ids=["eight hours", "short"]
)
def test_history_older_than_the_lookback_changes_nothing(schedule: tuple[tuple[float, int], ...]) -> None:
    inputs = make_inputs(seed=8, schedule=schedule)
    hours = intervals_h(inputs.settlement_ts)
    full = FundingContext(inputs)
    for position in range(LOOKBACK_SETTLEMENTS + 5, len(inputs.settlement_ts), 7):
        settlement = int(inputs.settlement_ts[position])
        for horizon in (90, 30):
            at = settlement - horizon * MINUTE_NS
            known = int(np.searchsorted(inputs.settlement_ts, at, side="right"))
            # One settlement more than the lookback: the interval of the oldest is told by the one before it.
            oldest = int(inputs.settlement_ts[known - LOOKBACK_SETTLEMENTS - 1])
            first = int(inputs.settlement_ts[known - LOOKBACK_SETTLEMENTS])
            short = since(
                inputs.as_of(at),
                {
                    "settlement_ts": oldest,
                    "premium_available_at": min(first, at) - 12 * HOUR_NS,
                    "oi_available_at": at - HOUR_NS,
                    "ratio_available_at": at - 7 * HOUR_NS,
                    "cross_available_at": at - 13 * HOUR_NS,
                    "caps_available_at": START_NS + 5 * DAY_NS,
                },
            )
            assert len(short.premium) < len(inputs.premium)
            row = full.row(settlement, at, float(hours[position]))
            assert row is not None
            assert _same(row, FundingContext(short).row(settlement, at, float(hours[position])))


def test_less_history_than_the_lookback_does_change_a_row() -> None:
    inputs = make_inputs(seed=8, schedule=((75.0, 8),))
    settlement = int(inputs.settlement_ts[-1])
    at = settlement - 90 * MINUTE_NS
    short = since(inputs, {"settlement_ts": int(inputs.settlement_ts[-30])})
    row, other = (
        FundingContext(inputs).row(settlement, at, 8.0),
        FundingContext(short).row(settlement, at, 8.0),
    )
    assert row is not None
    assert other is not None
    assert row["offset"] != other["offset"]
    assert row["rate_ewma"] == other["rate_ewma"]


def _by_key(table: FeatureTable, predictions: Predictions) -> dict[tuple[str, int, int], bytes]:
    columns = np.column_stack(
        [predictions.predicted, predictions.q05, predictions.q50, predictions.q95, predictions.pinball]
    )
    return {
        (
            str(table.symbol[row]),
            int(table.settlement_ns[row]),
            int(table.horizon_min[row]),
        ): numbers.tobytes()
        for row, numbers in zip(predictions.rows, columns, strict=True)
    }


@pytest.fixture(scope="module")
def out_of_sample(table: FeatureTable) -> dict[str, dict[tuple[str, int, int], bytes]]:
    return {name: _by_key(table, p) for name, p in walk_forward(table).items()}


CUT_NS = START_NS + 54 * DAY_NS  # thirty days before the end


@pytest.mark.parametrize("later", ["absent", "changed"])
def test_out_of_sample_predictions_do_not_change_with_later_data(
    later: str,
    histories: list[FundingInputs],
    out_of_sample: dict[str, dict[tuple[str, int, int], bytes]],
) -> None:
    if later == "absent":
        others = [h.as_of(CUT_NS) for h in histories]
    else:
        others = [spoil_after(h, CUT_NS, 9, wild=False) for h in histories]
    table = build_table(others)
    for name, predictions in walk_forward(table).items():
        before = {k: v for k, v in _by_key(table, predictions).items() if k[1] <= CUT_NS}
        expected = {k: v for k, v in out_of_sample[name].items() if k[1] <= CUT_NS}
        assert len(expected) > (900 if name not in ("ridge", "lightgbm", "lightgbm_residual") else 200), name
        assert before == expected, name


def test_changed_later_data_do_change_later_predictions(
    histories: list[FundingInputs], out_of_sample: dict[str, dict[tuple[str, int, int], bytes]]
) -> None:
    table = build_table([spoil_after(h, CUT_NS, 9, wild=False) for h in histories])
    candidates = tuple(name for name in CANDIDATES if not name.startswith("lightgbm"))
    for name, predictions in walk_forward(table, candidates=candidates).items():
        after = {k: v for k, v in _by_key(table, predictions).items() if k[1] > CUT_NS + 8 * HOUR_NS}
        assert after, name
        assert any(out_of_sample[name].get(k) != v for k, v in after.items()), name


def test_appending_keeps_earlier_rows_of_the_table(
    histories: list[FundingInputs], table: FeatureTable
) -> None:
    short = build_table([h.as_of(CUT_NS) for h in histories])
    longer = {
        (str(s), int(n), int(h)): f.tobytes()
        for s, n, h, f in zip(
            table.symbol, table.settlement_ns, table.horizon_min, table.features, strict=True
        )
    }
    assert len(short) > 900
    for s, n, h, f in zip(short.symbol, short.settlement_ns, short.horizon_min, short.features, strict=True):
        assert longer[(str(s), int(n), int(h))] == f.tobytes()


def test_as_of_and_concatenate_are_inverse() -> None:
    inputs = HISTORIES["eight hours"]
    at = START_NS + 11 * DAY_NS + 123
    later = since(
        inputs,
        dict.fromkeys(("settlement_ts", "premium_available_at", "oi_available_at"), at + 1)
        | dict.fromkeys(("ratio_available_at", "cross_available_at", "caps_available_at"), at + 1),
    )
    whole = concatenate(inputs.as_of(at), later)
    for name, column in inputs.__dict__.items():
        if name != "symbol":
            assert np.array_equal(getattr(whole, name), column), name
    assert inputs.as_of(at).premium_available_at.max() <= at
