"""The tape of a slow market: same seed same bytes, cuts change nothing, a sound book, sound rows."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.outlook import OUTLOOK, require_outlooks
from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    EVENT,
    LIQUIDATION,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
    is_sorted,
)
from models.market.tape_report import check_tape
from models.simulation.slow_market.generator import outlooks_of, stream_slow_market
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.scenarios import PLANTED_FOR, SCENARIOS
from models.simulation.slow_market.symbols import SYMBOLS
from tests.simulation.slow_market.markets import whole

DAY_NS = 86_400_000_000_000
BUSY = SCENARIOS["everything"]()._replace(
    cascades_per_day=40.0,
    spikes_per_day=60.0,
    whales_per_hour=60.0,
    impulses_per_day=20.0,
    sweeps_per_day=40.0,
)


@pytest.fixture(scope="module")
def busy():
    return whole(BUSY, days=0.25)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_or_symbol_does_not(busy):
    again = whole(BUSY, days=0.25)
    for mine, other in zip(busy, again, strict=True):
        assert mine.tobytes() == other.tobytes()
    assert whole(BUSY, seed=2, days=0.25).events.tobytes() != busy.events.tobytes()
    other_symbol = whole(BUSY, symbol="ETHUSDT", days=0.25)
    mids = [
        market.outlooks["spot_bid"][:500] / market.outlooks["spot_bid"][0] for market in (busy, other_symbol)
    ]
    assert abs(np.corrcoef(np.diff(np.log(mids)))[0, 1]) < 0.2


@pytest.mark.parametrize("chunk_events", [8192, 10_007, 60_000])
def test_where_it_is_cut_changes_nothing(busy, chunk_events):
    for mine, other in zip(busy, whole(BUSY, days=0.25, chunk_events=chunk_events), strict=True):
        assert mine.tobytes() == other.tobytes()


def test_stretches_keep_to_their_room_and_outlooks_to_their_stretch(busy):
    stretches = list(stream_slow_market(BUSY, "BTCUSDT", 1, 0.25, 10_007))
    assert max(len(stretch.events) for stretch in stretches) <= 10_007
    for stretch in stretches:
        if len(stretch.outlooks):
            assert stretch.events["local_ts"][0] <= stretch.outlooks["at_ns"][0]
            assert stretch.outlooks["at_ns"][-1] <= stretch.events["local_ts"][-1]


def test_a_longer_market_begins_with_the_shorter_one(busy):
    shorter = whole(BUSY, days=0.1)
    assert busy.events[: len(shorter.events)].tobytes() == shorter.events.tobytes()
    assert busy.outlooks[: len(shorter.outlooks)].tobytes() == shorter.outlooks.tobytes()


def test_a_short_market_has_a_book_and_an_empty_one_nothing():
    assert len(whole(BUSY, days=1.0 / 86_400.0).events) > 100
    assert len(whole(BUSY, days=0.0).events) == 0


@pytest.mark.parametrize("symbol", list(SYMBOLS))
def test_the_report_finds_nothing_wrong_with_any_symbol(symbol):
    market = whole(BUSY, symbol=symbol, days=0.25)
    assert market.events.dtype == EVENT
    assert is_sorted(market.events)
    assert check_tape(market.events).problems() == ()
    assert np.all(np.diff(market.events["exch_ts"]) >= 0)
    assert require_outlooks(market.outlooks).dtype == OUTLOOK


def _check_row(sides, kind, side, price, size):
    """Bring a book of two dictionaries up to one row, refusing what no venue could send."""
    if kind == SNAPSHOT_START:
        sides[1].clear()
        sides[-1].clear()
    elif kind == DEPTH and size == 0.0:
        assert sides[side].pop(price, None) is not None, "a level was deleted that was not there"
    elif kind in (DEPTH, SNAPSHOT):
        sides[side][price] = size
    elif kind == BBO:
        for gone in [p for p in sides[side] if (p - price) * side > 0]:
            del sides[side][gone]
        sides[side][price] = size
    elif kind == TRADE:
        assert price in sides[-side], "a trade where nothing stood"
        assert 0.0 < size <= sides[-side][price] * (1 + 1e-12), "more was traded than there was"


@pytest.mark.parametrize("symbol", ["BTCUSDT", "XRPUSDT"])
def test_an_independent_replay_finds_a_sound_book_and_no_impossible_trade(symbol):
    events = whole(BUSY, symbol=symbol, days=0.1).events
    sides = {1: {}, -1: {}}
    fewest = np.inf
    columns = [events[name].tolist() for name in ("kind", "side", "price", "size")]
    for kind, side, price, size in zip(*columns, strict=True):
        _check_row(sides, kind, side, price, size)
        if kind in (DEPTH, BBO):
            assert max(sides[1]) < min(sides[-1]), "crossed"
        if kind == END_OF_MESSAGE:
            fewest = min(fewest, len(sides[1]), len(sides[-1]))
    assert fewest >= BUSY.rungs


def test_prices_are_on_the_grid_and_sizes_are_whole_lots(busy):
    symbol = SYMBOLS["BTCUSDT"]
    rows = busy.events[np.isin(busy.events["kind"], (TRADE, BBO, DEPTH, LIQUIDATION))]
    for values, step in ((rows["price"], symbol.tick_size), (rows["size"], symbol.lot_size)):
        steps = values / step
        assert np.max(np.abs(steps - np.rint(steps))) < 1e-5


def test_a_jump_prints_through_the_levels_it_passes():
    market = whole(SCENARIOS["spikes"]()._replace(spikes_per_day=100.0), days=0.5)
    spikes = market.episodes[market.episodes["effect"] == 8]
    trades = market.events[market.events["kind"] == TRADE]
    assert len(spikes) > 20
    for spike in spikes[:20]:
        near = np.abs(trades["exch_ts"] - spike["start_ns"] - 500_000_000) < 600_000_000
        mine = trades[near & (trades["side"] == spike["side"])]
        times, counts = np.unique(mine["exch_ts"], return_counts=True)
        order = mine[mine["exch_ts"] == times[np.argmax(counts)]]
        reach_bps = 1e4 * abs(order["price"][-1] / order["price"][0] - 1.0)
        assert len(order) > 0.8 * reach_bps / 2.5
        assert reach_bps > 0.8 * spike["size_bps"]
        assert np.all(np.diff(order["price"]) * spike["side"] > 0)


def test_every_strategy_has_a_scenario():
    assert len(PLANTED_FOR) == 19
    assert set(PLANTED_FOR.values()) <= set(SCENARIOS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cascade_share": 1.5}, "cascade_share"),
        ({"self_excitation": 1.0}, "self_excitation"),
        ({"regime_dwell_s": (1.0, 0.0, 1.0)}, "regime_dwell_s"),
        ({"rungs": 2}, "rungs"),
        ({"report_s": 7.0}, "report_s"),
        ({"outlook_s": 12.0}, "outlook_s as a multiple"),
        ({"start_ns": 1}, "start_ns"),
        ({"premium_sd_bps": float("nan")}, "premium_sd_bps"),
    ],
)
def test_impossible_parameters_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        next(stream_slow_market(SlowMarketParameters()._replace(**change), "BTCUSDT", 1, 0.1))


def test_an_unknown_symbol_and_a_chunk_without_room_are_refused():
    with pytest.raises(ConfigError, match="PEPEUSDT"):
        next(stream_slow_market(SlowMarketParameters(), "PEPEUSDT", 1, 0.1))
    with pytest.raises(ConfigError, match="chunk_events"):
        next(stream_slow_market(SlowMarketParameters(), "BTCUSDT", 1, 0.1, 1000))


def test_outlooks_alone_are_those_of_the_stream(busy):
    assert outlooks_of(BUSY, "BTCUSDT", 1, 0.25).tobytes() == busy.outlooks.tobytes()
