"""The features compute on a slow market: a valid book, labels, and the marks the planted effects should leave."""

from __future__ import annotations

import numpy as np
import pytest

from models.market.feature_params import params_record
from models.market.feature_spec import FEATURE_NAMES
from models.market.features.forced_flow import FORCED
from models.market.step import features_of
from models.regimes.kernel import MARKDOWN, MARKUP, RANGE, UNKNOWN
from models.simulation.slow_market.scenarios import SCENARIOS
from models.simulation.slow_market.state import CASCADE, NEXT_WHALE, TREND
from models.simulation.slow_market.state import FORCED as FORCED_STAGE
from models.simulation.slow_market.symbols import SYMBOLS
from tests.simulation.slow_market.markets import whole


def features(market, symbol="BTCUSDT"):
    times, rows = features_of(market.events, SYMBOLS[symbol].tick_size, params_record())
    return times, {name: rows[:, k] for k, name in enumerate(FEATURE_NAMES)}


def inside(times, episodes):
    """Which ticks lie in one of the episodes."""
    found = np.zeros(len(times), dtype=bool)
    for row in episodes:
        found |= (times >= row["start_ns"]) & (times < row["end_ns"])
    return found


@pytest.mark.parametrize("symbol", ["BTCUSDT", "XRPUSDT", "DOGEUSDT"])
def test_the_book_is_valid_at_every_tick_and_everything_common_is_defined(symbol):
    times, seen = features(whole(SCENARIOS["everything"](), symbol=symbol, days=0.25), symbol)
    later = times > times[0] + 7200 * 10**9
    always = (
        "mid",
        "spread_bps",
        "mark",
        "index",
        "premium",
        "open_interest",
        "vpin",
        "ofi",
        "depth_imbalance",
        "ldr",
    )
    for name in (*always, "lpi", "z_oi_fall", "kyle_lambda_z", "hurst", "flow_state"):
        assert np.mean(np.isnan(seen[name][later])) < 0.001, name
    assert np.all(seen["spread_bps"] > 0.0)
    assert set(np.unique(seen["regime"][later])) != {UNKNOWN}


def test_trends_are_read_as_trends():
    market = whole(SCENARIOS["trends"]()._replace(trends_per_day=12.0), days=1.0)
    times, seen = features(market)
    trends = market.episodes[market.episodes["effect"] == TREND]
    right, wrong = 0, 0
    for row in trends:
        # A trend shows when it has filled the window of 96 minutes.
        mine = (times > row["start_ns"] + 96 * 60 * 10**9) & (times < row["end_ns"])
        with_it, against = (MARKUP, MARKDOWN) if row["side"] > 0 else (MARKDOWN, MARKUP)
        right += np.count_nonzero(seen["regime"][mine] == with_it)
        wrong += np.count_nonzero(seen["regime"][mine] == against)
    assert right > 20 * max(wrong, 1)


def test_ranges_are_read_as_ranges():
    times, seen = features(whole(SCENARIOS["ranges"]()._replace(ranges_per_day=1e6), days=0.5))
    settled = seen["regime"][times > times[0] + 7200 * 10**9]
    assert np.mean(settled == RANGE) > 0.5


def test_forced_flow_is_seen_and_exhausts():
    market = whole(SCENARIOS["reverting_cascades"](), days=0.75)
    times, seen = features(market)
    rows = market.episodes[
        (market.episodes["effect"] == CASCADE) & (market.episodes["stage"] == FORCED_STAGE)
    ]
    under_way = inside(times, rows)
    forced = seen["flow_state"] == FORCED
    assert len(rows) >= 3
    assert np.mean(forced[under_way]) > 0.8
    near = under_way.copy()
    for row in rows:
        near |= (times >= row["end_ns"]) & (times < row["end_ns"] + 15 * 10**9)
    assert np.mean(forced[~near]) < 0.001
    assert np.count_nonzero(seen["exhausted"][near]) > 0


def test_whales_are_seen_with_their_impact():
    market = whole(SCENARIOS["whales"](), days=0.25)
    times, seen = features(market)
    rows = market.episodes[market.episodes["effect"] == NEXT_WHALE]
    rows = rows[rows["start_ns"] > times[0] + 1800 * 10**9]
    found = 0
    for row in rows:
        after = np.searchsorted(times, row["start_ns"] + 2 * 10**9)
        found += seen["impact_age_s"][after] < 2.5 and seen["impact_side"][after] == row["side"]
    assert found > 0.9 * len(rows)
