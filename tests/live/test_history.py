"""The past as the executor reads it: the same however it was read, only closed bars, both sources of premium."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from hean_live.app.history import HistoryKeeper
from hean_live.venues.public import PublicMarket
from models.errors import SkipSymbol
from models.funding.features import FundingContext
from models.funding.inputs import SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX
from tests.live.conftest import SETTLEMENT_MS

MS = 1_000_000


@pytest.fixture
def market(testnet):
    return PublicMarket(testnet.base_url)


def read(market, testnet, keeper=None, settlements=6):
    keeper = keeper or HistoryKeeper(market, settlements)
    return keeper, keeper.inputs("BTCUSDT", testnet.now_ms * MS)


def test_reading_in_steps_gives_what_reading_at_once_gives(market, testnet):
    keeper, _ = read(market, testnet)
    for minutes in (7, 61, 300):
        testnet.advance(minutes=minutes)
        _, stepwise = read(market, testnet, keeper)
    _, once = read(market, testnet)
    for column in fields(once):
        if column.name.startswith("cap"):
            continue  # stamped with the time they were first seen
        left, right = getattr(stepwise, column.name), getattr(once, column.name)
        assert np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right


def test_only_closed_bars_and_enough_of_them(market, testnet):
    testnet.advance(seconds=30)
    _, inputs = read(market, testnet)
    now_ns = testnet.now_ms * MS
    assert inputs.premium_available_at[-1] <= now_ns < inputs.premium_available_at[-1] + 60 * 10**9
    assert len(inputs.settlement_ts) == 6
    assert inputs.premium_ts[0] <= inputs.settlement_ts[0] - 7 * 3600 * 10**9
    assert np.all(np.diff(inputs.premium_ts) == 60 * 10**9)
    assert set(inputs.premium_source) == {SOURCE_PREMIUM_INDEX}
    assert inputs.oi_available_at[-1] <= now_ns
    assert inputs.ratio_available_at[-1] <= now_ns + 3600 * 10**9
    assert len(inputs.cap_upper) == 1


def test_a_feature_row_comes_out_of_it(market, testnet):
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    _, inputs = read(market, testnet)
    at_ns = (SETTLEMENT_MS - 90 * 60_000) * MS
    row = FundingContext(inputs.as_of(at_ns)).row(SETTLEMENT_MS * MS, at_ns, 8.0)
    assert row is not None
    assert row.horizon_min == 90
    assert np.isfinite(
        [row["rate_last"], row["premium_now"], row["filtered_rate"], row["oi_change_5m"]]
    ).all()


class NoPremiumIndex(PublicMarket):
    """A venue without premium-index history, as some symbols and recordings are."""

    def envelope(self, path, params, cursor=""):
        reply = super().envelope(path, params, cursor)
        if "premium-index" in path:
            return {**reply, "result": {**reply["result"], "list": []}}
        return reply


def test_perp_against_spot_stands_in(testnet):
    market = NoPremiumIndex(testnet.base_url)
    keeper, first = read(market, testnet)
    assert set(first.premium_source) == {SOURCE_PERP_SPOT}
    assert set(first.premium_bar_s) == {300}
    testnet.advance(minutes=20)
    _, later = read(market, testnet, keeper)
    assert len(later.premium_ts) == len(first.premium_ts) + 4
    assert np.abs(later.premium).max() < 0.05


def test_a_symbol_without_history_is_skipped(market, testnet):
    with pytest.raises(SkipSymbol):
        HistoryKeeper(market, 6).inputs("NOSUCHUSDT", testnet.now_ms * MS)


def test_closes_for_the_regime_are_closed(market, testnet):
    testnet.advance(minutes=2)
    closes = HistoryKeeper(market, 6).closes_5m("BTCUSDT", testnet.now_ms * MS)
    assert 96 <= len(closes) <= 101
    assert np.all(closes > 0)
