"""The two-sided quotes: every rule once."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies import two_sided_quotes as quotes
from models.strategies.intent import CANCEL, HOLD, PLACE, POST_ONLY

MARKET = record_dtype([("mid", np.float64), ("valid", np.int64)])
PARAMS = quotes.Params(distance_bps=2.0, requote_bps=1.0, capital_share=0.001)


def ask(state, mid=100.0, open_orders=0, position=0.0, valid=1):
    market = np.zeros(1, MARKET)[0]
    market.mid, market.valid = (mid, 1) if valid else (np.nan, 0)
    state.open_orders, state.position = open_orders, position
    return quotes.step(market, PARAMS, state)


def quoting():
    state = quotes.new_state()
    ask(state)
    ask(state, open_orders=1)
    return state


def test_a_bid_then_an_ask_about_the_same_mid():
    state = quotes.new_state()
    bid = ask(state)
    assert (bid.action, bid.kind, bid.side, bid.share) == (PLACE, POST_ONLY, 1, 0.001)
    assert bid.price == pytest.approx(100.0 * (1 - 2e-4))
    other = ask(state, mid=100.5, open_orders=1)
    assert (other.action, other.side) == (PLACE, -1)
    assert other.price == pytest.approx(100.0 * (1 + 2e-4))


@pytest.mark.parametrize(("mid", "reason"), [(100.009, quotes.NO_SIGNAL), (99.99, quotes.MID_MOVED)])
def test_quotes_move_when_the_mid_has(mid, reason):
    intent = ask(quoting(), mid=mid, open_orders=2)
    assert intent.reason == reason
    assert intent.action == (CANCEL if reason == quotes.MID_MOVED else HOLD)


def test_a_quote_that_is_gone_pulls_the_other_and_both_are_quoted_anew_once_it_is_gone():
    state = quoting()
    assert ask(state, open_orders=1, position=0.001).action == CANCEL
    assert ask(state, open_orders=1, position=0.001).reason == quotes.WAITING
    # Long: the bid is left out, the ask is not.
    assert ask(state, open_orders=0, position=0.001).action == HOLD
    assert ask(state, open_orders=0, position=0.001).side == -1
    assert ask(state, open_orders=1, position=0.001).action == HOLD


def test_an_invalid_book_pulls_the_quotes_and_places_none():
    state = quoting()
    assert ask(state, open_orders=2, valid=0).action == CANCEL
    assert ask(state, open_orders=2, valid=0).action == HOLD
    assert ask(state, open_orders=0, valid=0).action == HOLD
    assert ask(state).side == 1
    assert ask(quotes.new_state(), valid=0).action == HOLD


@pytest.mark.parametrize(
    ("name", "value"), [("distance_bps", 0.0), ("requote_bps", -1.0), ("capital_share", 0.5)]
)
def test_parameters_out_of_range_are_refused(name, value):
    assert quotes.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=name):
        quotes.check_params(PARAMS._replace(**{name: value}))
