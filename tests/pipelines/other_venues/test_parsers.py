"""Names across venues, and payloads as the venues document them."""

from __future__ import annotations

import pytest

from models.errors import DataError
from models.market.binance_usdm import parse_funding, parse_instruments
from models.market.coinglass_v4 import parse_heatmap, parse_long_short
from models.market.okx_swap import parse_funding_history
from models.market.symbols import Contract, candidates, contract_of


@pytest.mark.parametrize(
    ("venue", "symbol", "expected"),
    [
        ("bybit", "BTCUSDT", Contract("BTC", "USDT")),
        ("bybit", "1000PEPEUSDT", Contract("PEPE", "USDT", 1000)),
        ("bybit", "SHIB1000USDT", Contract("SHIB", "USDT", 1000)),
        ("bybit", "10000LADYSUSDT", Contract("LADYS", "USDT", 10_000)),
        ("binance", "1MBABYDOGEUSDT", Contract("BABYDOGE", "USDT", 1_000_000)),
        ("binance", "1INCHUSDT", Contract("1INCH", "USDT")),
        ("binance", "BTCUSD_PERP", Contract("BTC", "USD")),
        ("okx", "PEPE-USDT-SWAP", Contract("PEPE", "USDT")),
        ("okx", "BTC-USD-SWAP", Contract("BTC", "USD")),
    ],
)
def test_one_coin_has_one_name(venue, symbol, expected):
    assert contract_of(venue, symbol) == expected


def test_pepe_is_the_same_everywhere_and_inverse_is_another():
    names = {contract_of("bybit", "1000PEPEUSDT").name, contract_of("okx", "PEPE-USDT-SWAP").name}
    assert names == {"PEPE/USDT"}
    assert contract_of("okx", "BTC-USD-SWAP").name != contract_of("okx", "BTC-USDT-SWAP").name


@pytest.mark.parametrize("symbol", ["btcusdt", "BTC-USDT", "USDT", "", "BTCUSDT-27JUN25"])
def test_what_is_no_perpetual_is_refused(symbol):
    with pytest.raises(DataError, match="expected a perpetual"):
        contract_of("bybit", symbol)


def test_every_name_a_venue_may_have_means_the_coin():
    for venue in ("bybit", "binance", "okx"):
        for name in candidates(venue, Contract("PEPE", "USDT", 1000)):
            assert contract_of(venue, name).coin == "PEPE"


def test_okx_takes_the_realised_rate():
    row = {
        "instId": "BTC-USDT-SWAP",
        "fundingRate": "0.0001",
        "realizedRate": "0.0002",
        "fundingTime": "1700000000000",
    }
    found = parse_funding_history({"code": "0", "data": [row]}, "BTC-USDT-SWAP")
    assert (found.funding_rate[0], found.predicted_rate[0]) == (0.0002, 0.0001)


def test_binance_funding_of_another_symbol_and_broken_numbers_are_refused():
    row = {"symbol": "ETHUSDT", "fundingTime": 1700000000000, "fundingRate": "0.0001", "markPrice": ""}
    with pytest.raises(DataError, match="expected rows of BTCUSDT"):
        parse_funding([row], "BTCUSDT")
    with pytest.raises(DataError, match="fundingRate"):
        parse_funding([row | {"symbol": "BTCUSDT", "fundingRate": "x"}], "BTCUSDT")


def test_only_adjusted_contracts_have_caps():
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001"},
    ]
    common = {
        "status": "TRADING",
        "baseAsset": "B",
        "quoteAsset": "Q",
        "marginAsset": "Q",
        "filters": filters,
    }
    kinds = (("AUSDT", "PERPETUAL"), ("BUSDT", "PERPETUAL"), ("AUSDT_250627", "CURRENT_QUARTER"))
    rows = [{"symbol": name, "contractType": kind, **common} for name, kind in kinds]
    terms = [
        {
            "symbol": "BUSDT",
            "adjustedFundingRateCap": "0.02",
            "adjustedFundingRateFloor": "-0.02",
            "fundingIntervalHours": 4,
        }
    ]
    first, second = parse_instruments({"symbols": rows}, terms)
    assert first.upper_funding_rate is None
    assert (second.upper_funding_rate, second.funding_interval_h) == (0.02, 4)


def test_a_heatmap_is_read_by_its_own_axes():
    data = {
        "y_axis": [100.0, 101.0],
        "liquidation_leverage_data": [[0, 1, 5000.0]],
        "price_candlesticks": [[1700000000, "1", "1", "1", "1", "1"]],
    }
    (cell,) = parse_heatmap({"code": "0", "data": data})
    assert (cell.price, cell.usd, cell.bucket_ns) == (101.0, 5000.0, 1700000000 * 10**9)
    with pytest.raises(DataError, match="axes"):
        parse_heatmap({"code": "0", "data": data | {"liquidation_leverage_data": [[0, 7, 1.0]]}})


def test_a_refusal_is_the_venues_own_words():
    with pytest.raises(DataError, match="Upgrade plan"):
        parse_long_short({"code": "40001", "msg": "Upgrade plan"})
