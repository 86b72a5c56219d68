"""What becomes of other markets in the outlooks: what is told, from when it holds, and when it is unknown again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hean_live.app.alarms import Alarms
from hean_live.execution.journal import Journal
from hean_live.other_markets.records import PairTerms, PastSeen, SpotSeen, VenueSeen
from hean_live.other_markets.watch import Asked, OtherMarkets
from hean_live.shadow.board import FRESH_NS, Others, OutlookBoard
from hean_live.venues.errors import VenueUnreachable
from models.market.bybit_v5_market import Ticker
from models.market.mood import VALID_NS, Mood, Reading
from models.market.outlook import OUTLOOK

S = 1_000_000_000
HOUR = 3600 * S
NOW = 1_750_000_000 * S
TICKER = Ticker("BTCUSDT", 100.0, 100.0, 100.0, 99.9, 1.0, 100.1, 1.0, 0.0008, NOW + HOUR, 8, 0.005, 1.0)
TERMS = PairTerms("ETHUSDT", 1.0, 0.9, 0.01, 7200.0, 0.03, NOW - HOUR)


class Known:
    """Knows one thing of BTCUSDT."""

    def __init__(self, seen, partner=""):
        self.seen, self._partner = seen, partner

    def newest(self, symbol):
        return self.seen if symbol == "BTCUSDT" else None

    def partner(self, symbol):
        return self._partner


def told(others, now_ns=NOW, ticker=TICKER):
    board = OutlookBoard(others)
    board.update(now_ns, {ticker.symbol: ticker, "ETHUSDT": ticker}, [])
    assert np.isnan(board.newest("ETHUSDT")[0]["spot_bid"])
    return board, board.newest("BTCUSDT")[0]


def test_only_symbols_that_have_shadows_have_outlooks():
    board = OutlookBoard(symbols=("BTCUSDT", "SOLUSDT"))
    board.update(NOW, {"BTCUSDT": TICKER, "ETHUSDT": TICKER}, [])
    assert board.newest("BTCUSDT") is not None
    assert board.newest("ETHUSDT") is None
    assert board.newest("SOLUSDT") is None


def test_nothing_is_known_of_other_markets_unless_they_are_asked():
    board, row = told(Others())
    for name in OUTLOOK.names:
        if name.startswith(("spot_", "pair_", "other_", "fear_", "text_", "implied_")):
            assert row[name] == 0 if OUTLOOK[name] == np.int64 else math.isnan(row[name]), name
    assert (board.partner("BTCUSDT"), board.funding_spreads()) == ("", {})
    assert row["own_rate_per_h"] == 0.0001


def test_an_outlook_holds_from_when_the_newest_of_it_was_seen():
    _, row = told(Others(spot=Known(SpotSeen(99.0, 99.5, NOW - 7 * S))))
    assert (row["spot_bid"], row["spot_ask"], row["spot_at_ns"]) == (99.0, 99.5, NOW - 7 * S)
    assert row["at_ns"] == NOW
    _, row = told(
        Others(spot=Known(SpotSeen(99.0, 99.5, NOW + S)), venue=Known(VenueSeen(1, 2, 0, 0, 8, NOW + 2 * S)))
    )
    assert row["at_ns"] == NOW + 2 * S


@pytest.mark.parametrize(("age_ns", "known"), [(0, True), (FRESH_NS, True), (FRESH_NS + 1, False)])
def test_the_spread_of_funding_is_measured_while_both_are_fresh(age_ns, known):
    venue = VenueSeen(99.0, 99.5, -0.0002, NOW + HOUR, 4.0, NOW - age_ns)
    board, row = told(Others(venue=Known(venue)))
    assert (row["other_bid"], row["other_ask"], row["other_at_ns"]) == (99.0, 99.5, NOW - age_ns)
    assert (row["other_rate_per_h"], row["other_interval_h"]) == (-0.0002, 4.0)
    assert row["other_settlement_ns"] == NOW + HOUR
    assert board.funding_spreads() == (pytest.approx({"BTCUSDT": 0.0003}) if known else {})


def test_no_spread_without_a_rate():
    board, _ = told(Others(venue=Known(VenueSeen(99.0, 99.5, math.nan, 0, 8.0, NOW))))
    assert board.funding_spreads() == {}


@pytest.mark.parametrize(("late_ns", "known"), [(0, True), (1, False)])
def test_terms_and_volatility_grow_old(late_ns, known):
    past = Known(PastSeen(0.6, TERMS, TERMS.at_ns), "ETHUSDT")
    board, row = told(Others(past=past, past_valid_ns=8 * HOUR), TERMS.at_ns + 8 * HOUR + late_ns)
    names = ("pair_alpha", "pair_beta", "pair_sigma", "pair_half_life_s", "pair_pvalue", "implied_volatility")
    expected = (1.0, 0.9, 0.01, 7200.0, 0.03, 0.6)
    for name, value in zip(names, expected, strict=True):
        assert row[name] == value if known else math.isnan(row[name])
    # Its prices go on being told: a position may have to be left at them.
    assert board.partner("BTCUSDT") == "ETHUSDT"


def test_volatility_without_a_pair():
    _, row = told(Others(past=Known(PastSeen(0.6, None, NOW))))
    assert row["implied_volatility"] == 0.6
    assert math.isnan(row["pair_beta"])


@pytest.mark.parametrize(
    ("made_ns", "known"), [(NOW, True), (NOW - VALID_NS + 1, True), (NOW - VALID_NS, False)]
)
def test_a_mood_is_told_until_it_expires(made_ns, known):
    mood = Mood(made_ns, Reading(12.0, made_ns - HOUR), {"BTCUSDT": Reading(-0.4, made_ns - 2 * HOUR)})
    _, row = told(Others(mood=lambda: mood))
    if known:
        assert (row["fear_greed"], row["fear_greed_at_ns"]) == (12.0, made_ns - HOUR)
        assert (row["text_score"], row["text_score_at_ns"]) == (-0.4, made_ns - 2 * HOUR)
    else:
        assert math.isnan(row["fear_greed"])
        assert (row["fear_greed_at_ns"], row["text_score_at_ns"]) == (0, 0)


def test_a_reading_of_the_future_and_one_of_another_symbol_are_not_told():
    mood = Mood(NOW + HOUR, Reading(12.0, NOW + 1), {"SOLUSDT": Reading(0.1, NOW)})
    _, row = told(Others(mood=lambda: mood))
    assert math.isnan(row["fear_greed"])
    assert math.isnan(row["text_score"])


def test_who_cannot_be_asked_is_an_alarm_until_it_can(tmp_path):
    class Flaky:
        fails = True

        def poll(self):
            if self.fails:
                raise VenueUnreachable("gone")

    source, clock = Flaky(), [0.0]
    watch = OtherMarkets([Asked("SPOT", source, 5.0)], monotonic=lambda: clock[0])
    journal = Journal(tmp_path / "journal.sqlite")
    alarms = Alarms(journal)
    board = OutlookBoard(Others(watch=watch), alarms)
    watch.step()
    board.update(NOW, {}, [])
    assert alarms.active == {"SPOT": "gone"}
    source.fails, clock[0] = False, 5.0
    watch.step()
    board.update(NOW, {}, [])
    assert alarms.active == {}
    board.close()
    journal.close()
