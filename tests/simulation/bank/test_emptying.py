"""A bank that is emptied on the way against one that keeps everything."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.feature_params import FeatureParams, params_record
from models.simulation.backtest.records import BacktestParameters
from models.simulation.bank.emptying import forget_what_is_over
from models.simulation.bank.records import BankParameters
from models.simulation.bank.run import BankRun
from models.simulation.bank.steps import NAMES
from models.simulation.fills.parameters import FillParameters
from models.simulation.slow_market.generator import stream_slow_market
from models.simulation.slow_market.scenarios import everything
from models.simulation.slow_market.symbols import SYMBOLS

SYMBOL = "XRPUSDT"
VENUE = FillParameters(SYMBOLS[SYMBOL].tick_size, SYMBOLS[SYMBOL].lot_size)
BANK = BankParameters(BacktestParameters(10_000.0, 3_600_000_000_000))
SECOND = params_record(FeatureParams(tick_ns=1_000_000_000))


@pytest.fixture(scope="module")
def market():
    # Cut often: market makers have orders under way at nearly every cut.
    return list(stream_slow_market(everything(), SYMBOL, 3, 0.5, chunk_events=9_000))


def driven(market, after_each):
    run = BankRun(NAMES, VENUE, BANK, feature_params=SECOND)
    for stretch in market:
        if len(stretch.outlooks):
            run.tell(stretch.outlooks)
        run.take(stretch.events)
        after_each(run)
    return run


@pytest.fixture(scope="module")
def kept(market):
    return driven(market, lambda run: None)


def same(one, other):
    return np.array_equal(one.view(np.uint8), other.view(np.uint8))


def test_round_trips_and_accounts_are_those_of_a_bank_that_keeps_everything(market, kept):
    taken = {name: [] for name in NAMES}
    under_way, rows = [], []

    def empty(run):
        shared = run.bank.shared
        under_way.append(int((shared.counts["open"] > 0).sum()))
        rows.append(int(shared.counts["orders"].max()))
        for name, trips in run.take_trips().items():
            taken[name].append(trips)
        assert (shared.counts["orders"] == shared.counts["open"]).all()

    emptied = driven(market, empty)
    assert sum(under_way) > len(market) > 10
    for field in ("accounts", "known", "legs", "open_trips"):
        assert same(getattr(kept.bank.shared, field), getattr(emptied.bank.shared, field)), field
    assert same(kept.bank.states, emptied.bank.states)
    traded = 0
    for place, name in enumerate(NAMES):
        whole = kept.bank.shared.trips[place, : kept.bank.shared.trip_counts[place]]
        assert same(whole, np.concatenate(taken[name])), name
        traded += bool(len(whole))
    assert traded >= 6
    # What there is room for is what happens between two cuts, not in the whole run.
    assert kept.bank.shared.counts["orders"].max() > 5 * max(rows)


def test_fills_keep_their_markouts_wherever_tables_are_emptied(market, kept):
    place = NAMES.index("inventory_neutral_mm")
    found = []

    def empty(run):
        counts = run.bank.shared.counts
        found.append(run.bank.sessions[place].fills[: counts["marked"][place]].copy())
        forget_what_is_over(run.bank)

    emptied = driven(market, empty)
    found.append(emptied.bank.sessions[place].fills[: emptied.bank.shared.counts["fills"][place]])
    fills = np.concatenate(found)
    whole = kept.bank.sessions[place].fills[: kept.bank.shared.counts["fills"][place]]
    assert len(whole) > 100
    for field in ("exch_ns", "side", "price", "quantity", "fee", "position", "markout_bps"):
        np.testing.assert_array_equal(fills[field], whole[field], field)


def test_an_emptied_run_has_no_whole_record(market):
    run = driven(market[:1], lambda run: run.take_trips())
    with pytest.raises(ConfigError, match="rows were kept"):
        run.finish()
