"""Pairs and volatility from closes: against the fit, against a known volatility, and on the local testnet's own bars."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hean_live.other_markets.past import (
    BAR_S,
    DAY_BARS,
    WINDOW,
    Closes,
    PastSource,
    closest,
    terms_of,
    volatility_of,
)
from hean_live.venues.public import PublicMarket
from models.strategies.pairs import fit_pair
from tests.local_testnet.server import start_testnet

BAR_NS = BAR_S * 1_000_000_000
START_NS = 1_735_689_600_000_000_000


def closes(values, shift=0, now_ns=None):
    opened = START_NS + (shift + np.arange(len(values), dtype=np.int64)) * BAR_NS
    return Closes(opened, np.asarray(values, float), int(opened[-1]) + BAR_NS if now_ns is None else now_ns)


def walk(seed, n=WINDOW + 5, step=1e-3):
    return 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, step, n)))


def test_the_bar_under_way_is_left_out_and_a_gap_ends_what_is_known():
    values = walk(1, 20)
    assert len(closes(values, now_ns=START_NS + 19 * BAR_NS + BAR_NS - 1).close) == 19
    opened = START_NS + np.delete(np.arange(20), 7) * BAR_NS
    broken = Closes(opened, np.delete(values, 7), int(opened[-1]) + BAR_NS)
    assert np.array_equal(broken.close, values[8:])
    assert broken.until(broken.end_ns, 12) is not None
    assert broken.until(broken.end_ns, 13) is None
    assert broken.until(broken.end_ns + BAR_NS, 12) is None
    assert Closes(np.empty(0, np.int64), np.empty(0), START_NS).until(0, 1) is None


def test_volatility_is_that_of_the_newest_day():
    # Moves of one size: their root mean square is that size, whatever their signs.
    step, signs = 0.002, np.random.default_rng(3).choice([-1.0, 1.0], DAY_BARS)
    day = 50.0 * np.exp(np.concatenate([[0.0], np.cumsum(step * signs)]))
    wild = walk(4, 300, 0.05)
    known = volatility_of(closes(np.concatenate([wild, day / day[0] * wild[-1]])[: 300 + DAY_BARS + 1]))
    assert known == pytest.approx(step * math.sqrt(DAY_BARS * 365.0), rel=1e-9)
    assert math.isnan(volatility_of(closes(day[1:])))


def test_the_partner_is_the_one_that_kept_closest_and_is_not_chosen_by_the_test():
    base = walk(5)
    found = {
        "OWN": closes(base),
        "NEAR": closes(7.0 * base * np.exp(np.random.default_rng(6).normal(0.0, 5e-4, len(base)))),
        "FAR": closes(walk(7)),
        "SHORT": closes(walk(8, 100)),
    }
    assert closest("OWN", found) == "NEAR"
    assert closest("OWN", {"OWN": found["OWN"], "SHORT": found["SHORT"]}) is None
    assert closest("SHORT", found) is None


def test_terms_are_the_fit_on_the_week_both_know():
    own, partner = walk(9), walk(10)
    # The partner was asked a bar later: the fit ends where both are known.
    found = {"OWN": closes(own), "PARTNER": closes(partner, shift=1)}
    terms = terms_of("OWN", "PARTNER", found)
    fit = fit_pair(own[-WINDOW:], partner[-WINDOW - 1 : -1])
    assert terms is not None
    assert (terms.partner, terms.at_ns) == ("PARTNER", found["OWN"].end_ns)
    assert (terms.alpha, terms.beta, terms.sigma) == (fit.alpha, fit.beta, fit.sigma)
    assert (terms.pvalue, terms.half_life_s) == (fit.pvalue, fit.half_life_bars * BAR_S)
    assert terms_of("OWN", "PARTNER", {**found, "PARTNER": closes(np.full(len(own), 5.0))}) is None
    assert terms_of("OWN", "NOPE", found) is None


def test_on_a_venue_a_partner_is_found_once_and_kept():
    with start_testnet(("BTCUSDT", "ETHUSDT", "SOLUSDT"), days=5, extra_days=5) as testnet:
        source = PastSource(PublicMarket(testnet.base_url), ("BTCUSDT", "ETHUSDT", "NOPEUSDT"), {})
        source.poll()
        seen = source.newest("BTCUSDT")
        # Less than a week is not enough for a pair, more than a day is for volatility.
        assert seen is not None
        assert (seen.terms, source.partner("BTCUSDT")) == (None, "")
        assert 0.05 < seen.volatility < 5.0
        testnet.advance(days=3, minutes=2)
        source.poll()
        seen = source.newest("BTCUSDT")
        assert seen is not None
        assert seen.terms is not None
        assert (seen.terms.partner, source.partner("ETHUSDT")) == ("ETHUSDT", "BTCUSDT")
        now_ns = testnet.now_ms * 1_000_000
        assert seen.terms.at_ns == now_ns // BAR_NS * BAR_NS
        rows = []
        for end in (None, testnet.now_ms - 1000 * 300_000):
            params = {"category": "linear", "symbol": "BTCUSDT", "interval": 5, "limit": 1000}
            rows += testnet.get("/v5/market/kline", **params, **({"end": end} if end else {}))["result"][
                "list"
            ]
        newest = [float(row[4]) for row in rows if int(row[0]) * 1_000_000 + BAR_NS <= now_ns][: DAY_BARS + 1]
        moves = np.diff(np.log(newest))
        assert seen.volatility == pytest.approx(math.sqrt(float(moves @ moves) * 365.0), rel=1e-9)
        assert source.newest("NOPEUSDT") is None
        named = PastSource(
            PublicMarket(testnet.base_url), ("BTCUSDT", "ETHUSDT", "SOLUSDT"), {"BTCUSDT": "SOLUSDT"}
        )
        named.poll()
        assert named.partner("BTCUSDT") == "SOLUSDT"
