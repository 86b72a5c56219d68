"""What is planted, against closed forms: martingale of the null, half-lives, funding by the formula, sizes of effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from models.funding.formula import average_premium, funding_rate
from models.market.features.records import new_record
from models.market.tape import FUNDING, LIQUIDATION, OPEN_INTEREST, PREMIUM, TRADE
from models.simulation.slow_market.numbers import cascade_probabilities
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.scenarios import SCENARIOS
from models.simulation.slow_market.state import (
    BUILD,
    CASCADE,
    FORCED,
    IMPULSE,
    INTEREST,
    NEXT_WHALE,
    RANGE,
    SLIDE,
    TREND,
)
from tests.simulation.slow_market.markets import whole

MINUTE_NS = 60_000_000_000


def mids(market, every=1):
    """Mid by the spot quotes and the premium of each outlook: what the makers quoted, every ten seconds."""
    rows = market.outlooks[::every]
    return np.sqrt(rows["other_bid"] * rows["other_ask"]), rows["at_ns"]


def marks(market):
    rows = market.events[market.events["kind"] == 8]
    return rows["price"], rows["exch_ts"]


def price_at(market, times_ns):
    price, at = marks(market)
    return price[np.searchsorted(at, times_ns, side="right") - 1]


def t_of(values):
    """Contiguous blocks: mean over its standard error."""
    blocks = np.array([block.mean() for block in np.array_split(values, 10)])
    return blocks.mean() / (blocks.std(ddof=1) / np.sqrt(10))


@pytest.fixture(scope="module")
def null():
    return whole(SCENARIOS["null"](), days=20.0)


@pytest.mark.parametrize("seconds", [5, 60, 900, 3600])
def test_the_null_is_a_martingale(null, seconds):
    price, _ = marks(null)
    moves = np.diff(np.log(price[:: seconds // 5]))
    limit = stats.t.ppf(0.9995, 9)
    assert abs(t_of(moves)) < limit
    products = moves[1:] * moves[:-1] / moves.var()
    # The makers' standing quotes leave at most a square of their threshold in neighbouring moves.
    slack = 2.0 * (1e-4 * 0.3) ** 2 / moves.var()
    assert abs(products.mean()) < slack + limit * np.std(products) / np.sqrt(len(products)) * 1.5


def test_flow_in_the_null_says_nothing_of_what_comes(null):
    price, at = marks(null)
    trades = null.events[null.events["kind"] == TRADE]
    bins = np.searchsorted(at, trades["exch_ts"])
    flow = np.bincount(bins, weights=trades["side"] * trades["size"], minlength=len(at) + 1)[: len(at)]
    before, after = flow[1:-1], np.diff(np.log(price))[1:]
    assert abs(t_of(before * after / np.std(before) / np.std(after))) < stats.t.ppf(0.9995, 9)


def test_regimes_have_their_volatility():
    p = SlowMarketParameters(regime_volatility_bps=(0.8, 0.8, 0.8))
    price, _ = marks(whole(p, days=5.0))
    moves = 1e4 * np.diff(np.log(price[::12]))
    # A minute's standard deviation; the standard error of one of n normal moves is sd / sqrt(2 n).
    sd = 0.8 * np.sqrt(60.0)
    assert abs(moves.std() - sd) < 4.0 * sd / np.sqrt(2 * len(moves)) + 0.02


def test_the_premium_has_its_moments_and_half_life():
    p = SCENARIOS["basis"]()._replace(premium_sd_bps=45.0, premium_half_life_s=1800.0)
    market = whole(p, days=40.0)
    premium = market.events["price"][market.events["kind"] == PREMIUM]
    theta = np.log(2.0) / 30.0
    n = len(premium)
    # Asymptotic errors of an autoregression: of the slope, and of the mean and variance with its correlation time.
    keep = np.corrcoef(premium[1:], premium[:-1])[0, 1]
    assert abs(keep - np.exp(-theta)) < 4.0 * np.sqrt((1 - np.exp(-2 * theta)) / n)
    assert abs(premium.mean()) < 4.0 * 45e-4 * np.sqrt(2.0 / theta / n) * 1.05
    assert abs(premium.var() / 45e-4**2 - 1.0) < 4.0 * np.sqrt(2.0 / theta / n)


def test_funding_settles_by_the_venues_formula():
    p = SCENARIOS["funding_swings"]()
    events = whole(p, days=4.0).events
    premium, rates = events[events["kind"] == PREMIUM], events[events["kind"] == FUNDING]
    assert len(rates) == 11
    assert np.ptp(rates["price"]) > 1e-4
    for rate in rates:
        inside = (premium["exch_ts"] > rate["exch_ts"] - 480 * MINUTE_NS) & (
            premium["exch_ts"] <= rate["exch_ts"]
        )
        seen = premium["price"][inside]
        assert len(seen) == 480
        expected = funding_rate(average_premium(seen), 8.0, -p.funding_cap, p.funding_cap)
        assert rate["price"] == pytest.approx(float(expected), abs=1.1e-8)


def test_the_cap_holds():
    p = SCENARIOS["funding_swings"]()._replace(premium_sd_bps=400.0)
    events = whole(p, days=3.0).events
    rates = events["price"][events["kind"] == FUNDING]
    assert np.max(np.abs(rates)) == pytest.approx(p.funding_cap)


def test_who_is_paid_by_the_null_pays_by_the_price(null):
    rates = null.events["price"][null.events["kind"] == FUNDING]
    assert rates == pytest.approx(np.full(len(rates), 0.0001), abs=1e-6)
    p = SCENARIOS["null"]()._replace(
        premium_mean_bps=40.0, regime_volatility_bps=(0.001, 0.001, 0.001), requote_bps=0.0
    )
    market = whole(p, days=2.0)
    rates, at = (market.events[market.events["kind"] == FUNDING][name] for name in ("price", "exch_ts"))
    moved = np.diff(np.log(price_at(market, at)))
    assert moved == pytest.approx(rates[:-1], rel=0.02)


def test_a_range_is_an_ornstein_uhlenbeck_process_about_its_level():
    p = SCENARIOS["ranges"]()._replace(ranges_per_day=1e6, range_h=400.0, range_quiet=0.0, requote_bps=0.0)
    market = whole(p, days=8.0)
    price, _ = marks(market)
    away = 1e4 * np.log(price[8640 // 5 :])
    theta = np.log(2.0) / (p.range_half_life_s / 5.0)
    n = len(away)
    assert abs(away.var() / p.range_sd_bps**2 - 1.0) < 4.0 * np.sqrt(2.0 / theta / n)
    slope = np.polyfit(away[:-120] - away.mean(), away[120:] - away.mean(), 1)[0]
    expected = 0.5 ** (600.0 / p.range_half_life_s)
    assert abs(slope - expected) < 4.0 * np.sqrt((1 - expected**2) / (n / 120))


def _moves_of(market, effect, stage):
    rows = market.episodes[(market.episodes["effect"] == effect) & (market.episodes["stage"] == stage)]
    before, after = price_at(market, rows["start_ns"]), price_at(market, rows["end_ns"] + 1_000_000_000)
    return rows, 1e4 * rows["side"] * np.log(after / before)


def _close_to_plan(rows, moved):
    error = moved - rows["size_bps"]
    assert len(rows) > 10
    assert abs(error.mean()) < 4.0 * error.std(ddof=1) / np.sqrt(len(rows)) + 1.0


@pytest.mark.parametrize(
    ("scenario", "effect", "stages", "days"),
    [
        ("trends", TREND, (1,), 8.0),
        ("impulses", IMPULSE, (1, 2), 4.0),
        ("interest", INTEREST, (1, 2), 6.0),
        ("sweeps", 3, (1, 2, 3), 4.0),
        ("permanent_cascades", CASCADE, (BUILD, SLIDE, FORCED), 30.0),
    ],
)
def test_effects_move_the_price_as_far_as_planted(scenario, effect, stages, days):
    market = whole(SCENARIOS[scenario](), days=days)
    for stage in stages:
        _close_to_plan(*_moves_of(market, effect, stage))


def test_a_cascade_is_forced_and_closes_positions_the_crowd_had_opened():
    p = SCENARIOS["reverting_cascades"]()
    market = whole(p, days=6.0)
    forced, _ = _moves_of(market, CASCADE, FORCED)
    liquidations = market.events[market.events["kind"] == LIQUIDATION]
    interest = market.events[market.events["kind"] == OPEN_INTEREST]
    assert len(forced) > 20
    for row in forced:
        mine = (liquidations["exch_ts"] >= row["start_ns"]) & (liquidations["exch_ts"] <= row["end_ns"])
        assert np.count_nonzero(mine) == 4 * p.cascade_s
        assert np.all(liquidations["side"][mine] == row["side"])
        at = np.searchsorted(interest["exch_ts"], [row["start_ns"], row["end_ns"] + 6_000_000_000]) - 1
        fall = 1.0 - interest["size"][at[1]] / interest["size"][at[0]]
        assert fall == pytest.approx(p.cascade_interest_fall, abs=0.01)
    # What was overshoot is back after ten half-lives, what was permanent is not; both up to the price's own noise.
    after = price_at(market, forced["end_ns"] + 600_000_000_000)
    moved = 1e4 * forced["side"] * np.log(after / price_at(market, forced["start_ns"]))
    assert abs(moved.mean() - p.cascade_permanent_bps) < 4.0 * moved.std(ddof=1) / np.sqrt(len(moved))
    outside = len(liquidations) - sum(
        np.count_nonzero(
            (liquidations["exch_ts"] >= row["start_ns"]) & (liquidations["exch_ts"] <= row["end_ns"])
        )
        for row in forced
    )
    assert outside <= 4 * p.cascade_s  # one may be under way at the end


def test_stages_of_cascades_last_and_end_as_planned():
    p = SCENARIOS["reverting_cascades"]()
    rows = whole(p, days=30.0).episodes
    rows = rows[rows["effect"] == CASCADE]
    seconds = 1e-9 * (rows["end_ns"] - rows["start_ns"])
    counts = {stage: np.count_nonzero(rows["stage"] == stage) for stage in (BUILD, SLIDE, FORCED)}
    rate = 1.0 / p.cascade_slide_s + 1.0 / p.cascade_fizzle_s
    for stage, mean in ((BUILD, p.cascade_build_s), (SLIDE, 1.0 / rate)):
        # Steps are of a second: an exponential stay is rounded up to them.
        assert abs(seconds[rows["stage"] == stage].mean() - mean) < 4.0 * mean / np.sqrt(counts[stage]) + 1.0
    shares = ((SLIDE, BUILD, p.cascade_share), (FORCED, SLIDE, 1.0 / p.cascade_slide_s / rate))
    for stage, before, share in shares:
        low, high = stats.binom.interval(0.9999, counts[before], share)
        assert low - 1 <= counts[stage] <= high + 1


def test_the_cascade_probability_is_the_share_of_cascades_that_follow():
    p = SCENARIOS["reverting_cascades"]()
    market = whole(p, days=60.0)
    starts = market.episodes["start_ns"][
        (market.episodes["effect"] == CASCADE) & (market.episodes["stage"] == FORCED)
    ]
    rows = market.outlooks[:-90]  # a horizon before the end
    said = rows["cascade_probability"]
    next_start = np.append(starts, np.iinfo(np.int64).max)[np.searchsorted(starts, rows["at_ns"])]
    followed = next_start - rows["at_ns"] <= p.cascade_horizon_s * 1e9
    levels = cascade_probabilities(p)
    for stage in (1, 2):
        mine = said == levels[stage]
        spells = np.count_nonzero(np.diff(mine.astype(int)) == 1)
        assert spells > 200
        share = followed[mine].mean()
        assert abs(share - levels[stage]) < 4.0 * np.sqrt(levels[stage] * (1 - levels[stage]) / spells) + 0.01


def test_a_whale_moves_the_quotes_and_they_come_back_with_its_half_life():
    p = SCENARIOS["whales"]()._replace(
        whales_per_hour=30.0,
        whale_permanent_bps=0.0,
        regime_volatility_bps=(0.02, 0.02, 0.02),
        whale_half_life_s=2.0,
    )
    market = whole(p, days=1.0)
    rows = market.episodes[market.episodes["effect"] == NEXT_WHALE]
    quotes = market.events[(market.events["kind"] == 5) & (market.events["side"] == 1)]

    def bid_at(times_ns):
        return quotes["price"][np.searchsorted(quotes["exch_ts"], times_ns, side="right") - 1]

    alone = np.diff(rows["start_ns"], prepend=0) > 60_000_000_000
    rows = rows[alone & (np.append(np.diff(rows["start_ns"]), 1 << 62) > 20_000_000_000)]
    before = bid_at(rows["start_ns"] - 1)
    moved = {
        wait: 1e4 * rows["side"] * np.log(bid_at(rows["start_ns"] + np.int64(wait * 1e9)) / before)
        for wait in (0.45, 2.45, 4.45, 15.0)
    }
    for wait, halves in ((0.45, 0), (2.45, 1), (4.45, 2)):
        # Displacement has already faded by the step the whale came in.
        ratio = np.mean(moved[wait] / rows["size_bps"]) / 0.5**halves
        assert ratio == pytest.approx(1.0, abs=0.15)
    assert abs(moved[15.0].mean()) < 1.0


def test_range_episodes_say_when_they_were():
    rows = whole(SCENARIOS["ranges"](), days=4.0).episodes
    assert set(rows["effect"]) == {RANGE}
    assert np.all(rows["end_ns"] > rows["start_ns"])
    assert np.all(rows["start_ns"][1:] >= rows["end_ns"][:-1])


def test_extremes_of_fear_and_greed_precede_the_opposite_drift():
    p = SCENARIOS["sentiment"]()._replace(regime_volatility_bps=(0.05, 0.05, 0.05))
    market = whole(p, days=60.0)
    days = market.outlooks[::8640]
    moved = 1e4 * np.diff(np.log(np.sqrt(days["other_bid"] * days["other_ask"])))
    mood = days["fear_greed"][:-1]
    fear, greed, neither = mood <= 20, mood >= 80, (mood > 20) & (mood < 80)
    assert min(fear.sum(), greed.sum()) >= 3
    assert moved[fear] == pytest.approx(np.full(fear.sum(), 500.0), abs=80.0)
    assert moved[greed] == pytest.approx(np.full(greed.sum(), -500.0), abs=80.0)
    assert np.max(np.abs(moved[neither])) < 80.0


def test_the_record_of_numbers_has_every_parameter():
    from models.simulation.slow_market.state import NUMBERS

    assert set(SlowMarketParameters._fields) <= set(new_record(NUMBERS).dtype.names)
