"""What was planted is in the data at its stated size: estimated from the tape, held against the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy.optimize import minimize

from models.market.book import apply, is_valid, mid_price, new_book
from models.market.tape import DEPTH, END_OF_MESSAGE, LIQUIDATION, OPEN_INTEREST, SNAPSHOT, TRADE
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.labels import BACKGROUND, FORCED, INFORMED, WHALE
from models.simulation.order_flow.parameters import OrderFlowParameters, without_episodes

SECOND = 1_000_000_000
QUIET = without_episodes(OrderFlowParameters())._replace(regime_volatility_bps=(0.3, 0.3, 0.3))
WHALES = QUIET._replace(whales_per_hour=360.0)
CAMPAIGNS = QUIET._replace(cascades_per_hour=12.0, trends_per_hour=8.0)


@njit(cache=True)
def mids_at(book, events, times, out):
    """Mid after all messages of venue time up to each of the sorted times."""
    k = 0
    mid = np.nan
    for i in range(events.shape[0]):
        while k < times.shape[0] and events[i].exch_ts > times[k]:
            out[k] = mid
            k += 1
        apply(book, events[i])
        if events[i].kind == END_OF_MESSAGE and is_valid(book):
            mid = mid_price(book)
    out[k:] = mid


def mids(events, times):
    order = np.argsort(times)
    out = np.empty(len(times))
    mids_at(new_book(0.5), events, times[order], out)
    back = np.empty(len(times))
    back[order] = out
    return back


def mean_and_interval(x):
    """Mean and four standard errors: a seeded test must not sit on the edge of its interval."""
    return x.mean(), 4.0 * x.std(ddof=1) / np.sqrt(len(x))


@pytest.fixture(scope="module")
def whales():
    return generate_order_flow(WHALES, seed=11, duration_s=2 * 3600.0)


@pytest.fixture(scope="module")
def campaigns():
    return generate_order_flow(CAMPAIGNS, seed=12, duration_s=4 * 3600.0)


def test_whales_have_their_transient_and_permanent_impact(whales):
    episodes = whales.episodes
    assert len(episodes) > 600
    assert np.all(episodes["cause"] == WHALE)
    at = episodes["start_ns"]
    before = mids(whales.events, at - 1)
    moved = {}
    for lag in (0.0, 1.0, 2.0, 12.0):
        after = mids(whales.events, at + int(lag * SECOND))
        moved[lag] = 1e4 * episodes["side"] * np.log(after / before)
    design = []
    response = []
    for lag, move in moved.items():
        fade = np.exp(-lag / WHALES.whale_reversion_s)
        design.append(np.column_stack([episodes["permanent_bps"], episodes["transient_bps"] * fade]))
        response.append(move)
    # One row per whale and lag; the shares of the planted sizes that are found must be one.
    x, y = np.concatenate(design), np.concatenate(response)
    shares, *_ = np.linalg.lstsq(x, y, rcond=None)
    blocks = np.array_split(np.arange(len(at)), 10)
    per_block = []
    for block in blocks:
        rows = np.concatenate([block + k * len(at) for k in range(len(moved))])
        per_block.append(np.linalg.lstsq(x[rows], y[rows], rcond=None)[0])
    half_width = 4.0 * np.std(per_block, axis=0, ddof=1) / np.sqrt(len(blocks))
    assert np.all(half_width < [0.8, 0.4])
    assert np.all(np.abs(shares - 1.0) < half_width)
    reverted, error = mean_and_interval(moved[0.0] - moved[12.0])
    assert reverted > 1.0 > error


def test_whale_prints_are_whale_sized_and_labelled_with_their_side(whales):
    events, labels = whales.events, whales.labels
    prints = events["kind"] == TRADE
    median = np.median(events["size"][prints & (labels["cause"] == BACKGROUND)])
    of_whales = prints & (labels["cause"] == WHALE)
    totals = np.bincount(labels["episode"][of_whales], events["size"][of_whales])
    planted = whales.episodes[np.argsort(whales.episodes["number"])]
    assert totals[planted["number"]] == pytest.approx(planted["size"], abs=1e-9)
    assert np.all(planted["size"] > 10.0 * median)
    sides = events["side"][of_whales]
    assert np.all(sides == planted["side"][np.searchsorted(planted["number"], labels["episode"][of_whales])])


def test_cascades_overshoot_revert_drop_interest_and_print_liquidations(campaigns):
    cascades = campaigns.episodes[campaigns.episodes["cause"] == FORCED]
    assert len(cascades) > 20
    prints = campaigns.events[campaigns.events["kind"] == LIQUIDATION]
    ended = prints["exch_ts"] <= cascades["end_ns"][-1]
    assert prints["size"][ended].sum() == pytest.approx(cascades["size"].sum(), rel=1e-9)
    # Interest falls by what was liquidated, but for the noise of the crowd and of a trend under way.
    alone = ~overlapping(cascades, campaigns.episodes[campaigns.episodes["cause"] == INFORMED])
    assert np.all(cascades["open_interest_change"][alone] < -0.5 * cascades["size"][alone])
    drop, error = mean_and_interval((cascades["open_interest_change"] + cascades["size"])[alone])
    assert abs(drop) < max(error, 0.5)
    move = 1e4 * cascades["side"] * np.log(cascades["mid_after"] / cascades["mid_before"])
    # Impact is in proportion to size and reverts from the moment of each order.
    expected = []
    for cascade in cascades:
        own = prints[(prints["exch_ts"] >= cascade["start_ns"]) & (prints["exch_ts"] <= cascade["end_ns"])]
        left = np.exp((own["exch_ts"] - cascade["end_ns"]) / SECOND / CAMPAIGNS.cascade_reversion_s)
        still = np.average(left, weights=own["size"])
        expected.append(CAMPAIGNS.cascade_permanent_bps + CAMPAIGNS.cascade_overshoot_bps * still)
    found, error = mean_and_interval((move - np.array(expected))[alone])
    assert error < 8.0
    assert abs(found) < error
    at = cascades["end_ns"] + 150 * SECOND
    clear = alone & np.array(
        [
            not np.any((campaigns.episodes["start_ns"] > b) & (campaigns.episodes["start_ns"] < a))
            for a, b in zip(at, cascades["end_ns"], strict=True)
        ]
    )
    later = mids(campaigns.events, np.minimum(at, campaigns.events["exch_ts"][-1]))
    stayed, error = mean_and_interval(
        (1e4 * cascades["side"] * np.log(later / cascades["mid_before"]))[clear]
    )
    assert error < 12.0
    assert abs(stayed - CAMPAIGNS.cascade_permanent_bps) < error


def test_a_cascade_fades_makers_come_back_and_the_last_extreme_comes_before_the_end(campaigns):
    cascades = campaigns.episodes[campaigns.episodes["cause"] == FORCED]
    prints = campaigns.events[campaigns.events["kind"] == LIQUIDATION]
    labels, events = campaigns.labels, campaigns.events
    assert np.all(
        (cascades["extreme_ns"] > cascades["start_ns"]) & (cascades["extreme_ns"] <= cascades["end_ns"])
    )
    thirds = []
    for cascade in cascades:
        own = prints[(prints["exch_ts"] >= cascade["start_ns"]) & (prints["exch_ts"] <= cascade["end_ns"])]
        length = cascade["end_ns"] - cascade["start_ns"]
        last = own["exch_ts"] > cascade["end_ns"] - length // 3
        thirds.append(own["size"][last].sum() / own["size"].sum())
    assert np.mean(thirds) < 0.2  # of the flow in the last third of the time
    deleted = (events["kind"] == DEPTH) & (events["size"] == 0.0)
    inside = np.mean(events["size"][(labels["cascade"] != 0) & (events["kind"] == DEPTH) & ~deleted])
    outside = np.mean(events["size"][(labels["cascade"] == 0) & (events["kind"] == DEPTH) & ~deleted])
    assert inside < 0.7 * outside


def overlapping(left, right):
    return np.array(
        [
            bool(np.any((right["start_ns"] < b) & (right["end_ns"] > a)))
            for a, b in left[["start_ns", "end_ns"]]
        ]
    )


def test_trends_drift_for_good_and_raise_interest(campaigns):
    trends = campaigns.episodes[campaigns.episodes["cause"] == INFORMED]
    cascades = campaigns.episodes[campaigns.episodes["cause"] == FORCED]
    alone = trends[~overlapping(trends, cascades)]
    assert len(alone) > 8
    assert np.all(alone["open_interest_change"] > 0.5 * alone["size"])
    move, error = mean_and_interval(1e4 * alone["side"] * np.log(alone["mid_after"] / alone["mid_before"]))
    assert abs(move - CAMPAIGNS.trend_drift_bps) < error
    inside = (campaigns.events["kind"] == LIQUIDATION) & (campaigns.labels["cause"] == INFORMED)
    assert not inside.any()


def test_reported_interest_is_the_truth_of_its_time(campaigns):
    reports = campaigns.events[campaigns.events["kind"] == OPEN_INTEREST]
    assert np.all(np.diff(reports["exch_ts"]) == 5 * SECOND)
    cascade = campaigns.episodes[campaigns.episodes["cause"] == FORCED][0]
    inside = np.searchsorted(reports["exch_ts"], [cascade["start_ns"], cascade["end_ns"]])
    assert reports["size"][inside[1]] < reports["size"][inside[0] - 1]


@njit(cache=True)
def hawkes_loglik(times, mu, branching, beta):
    total = 0.0
    a = 0.0
    for i in range(times.shape[0]):
        if i:
            a = np.exp(-beta * (times[i] - times[i - 1])) * (1.0 + a)
        total += np.log(mu + branching * beta * a)
    end = times[-1]
    return total - mu * end - branching * np.sum(1.0 - np.exp(-beta * (end - times)))


def fit_hawkes(times):
    def cost(x):
        return -hawkes_loglik(times, np.exp(x[0]), 1.0 / (1.0 + np.exp(-x[1])), np.exp(x[2]))

    best = minimize(cost, np.array([0.0, 0.0, 0.0]), method="Nelder-Mead", options={"maxiter": 600})
    return np.exp(best.x[0]), 1.0 / (1.0 + np.exp(-best.x[1])), np.exp(best.x[2])


@pytest.mark.parametrize(("own", "cross"), [(0.5, 0.1), (0.2, 0.1)])
def test_the_branching_ratio_of_the_crowd_is_found(own, cross):
    p = QUIET._replace(
        self_excitation=own, cross_excitation=cross, regime_activity=(1.0, 1.0, 1.0), book_updates=0.5
    )
    market = generate_order_flow(p, seed=21, duration_s=3600.0)
    orders = (market.events["kind"] == END_OF_MESSAGE)[1:] & (market.labels["cause"] == BACKGROUND)[1:]
    times = (market.events["exch_ts"][1:][orders] - p.start_ns) / SECOND
    mu, branching, beta = fit_hawkes(times)
    assert len(times) / 3600.0 == pytest.approx(2 * p.background_rate / (1 - own - cross), rel=0.1)
    assert branching == pytest.approx(own + cross, abs=0.04)
    assert mu == pytest.approx(2 * p.background_rate, rel=0.1)
    assert beta == pytest.approx(p.excitation_decay, rel=0.2)


def test_regimes_have_their_spread_and_depth():
    p = QUIET._replace(regime_dwell_s=(200.0, 200.0, 200.0))
    market = generate_order_flow(p, seed=31, duration_s=3600.0)
    touches = {0: [], 1: [], 2: []}
    bids, asks = {}, {}
    for event, regime in zip(
        market.events[:150_000].tolist(), market.labels["regime"][:150_000].tolist(), strict=True
    ):
        _, _, kind, side, price, size = event
        if kind in (DEPTH, SNAPSHOT):
            book = bids if side > 0 else asks
            book.pop(price, None)
            if size:
                book[price] = size
        elif kind == END_OF_MESSAGE:
            touches[regime].append((min(asks) - max(bids), asks[min(asks)]))
    for regime, seen in touches.items():
        spread, depth = np.median(np.array(seen), axis=0)
        assert spread / p.tick_size == pytest.approx(p.regime_spread_ticks[regime], abs=1.0)
        assert depth == pytest.approx(p.regime_touch_depth[regime], rel=0.35)


def test_the_null_market_has_no_episodes():
    market = generate_order_flow(QUIET, seed=41, duration_s=600.0)
    assert len(market.episodes) == 0
    assert set(market.labels["cause"].tolist()) == {0, BACKGROUND}
    assert not np.any(market.events["kind"] == LIQUIDATION)
