"""Contracts as the venue describes them."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from models.errors import DataError
from models.market.instruments import parse_instruments
from tests.support import shared_path


def documented(number: int) -> dict:
    path = shared_path(f"fixtures/bybit/docs_official/market__instrument__{number}.json")
    return json.loads(Path(path).read_text())["result"]


def test_documented_contract() -> None:
    contract = parse_instruments(documented(0))[0]
    assert (contract.symbol, contract.status, contract.settle_coin) == ("BTCUSDT", "Trading", "USDT")
    assert (contract.tick_size, contract.qty_step) == (Decimal("0.10"), Decimal("0.001"))
    assert (contract.min_order_qty, contract.max_order_qty) == (Decimal("0.001"), Decimal("1190.000"))
    assert (contract.min_notional_usd, contract.max_leverage) == (Decimal(5), Decimal(100))
    assert (contract.funding_interval_min, contract.price_scale) == (480, 2)
    assert (contract.lower_funding_rate, contract.upper_funding_rate) == (
        Decimal("-0.00375"),
        Decimal("0.00375"),
    )
    assert contract.launch_ns == 1585526400000 * 1_000_000


def test_pre_market_contract_has_its_own_caps() -> None:
    contract = parse_instruments(documented(1))[0]
    assert (contract.status, contract.upper_funding_rate) == ("PreLaunch", Decimal("0.05"))


def test_empty_caps_are_none_and_dated_futures_are_left_out() -> None:
    row = documented(0)["list"][0]
    bare = row | {"upperFundingRate": "", "lowerFundingRate": ""}
    dated = row | {"contractType": "LinearFutures", "symbol": "BTC-27MAR26"}
    contracts = parse_instruments({"list": [bare, dated]})
    assert [contract.symbol for contract in contracts] == ["BTCUSDT"]
    assert contracts[0].upper_funding_rate is None


def test_missing_step_is_named_with_its_symbol() -> None:
    row = documented(0)["list"][0]
    lots = {name: value for name, value in row["lotSizeFilter"].items() if name != "qtyStep"}
    with pytest.raises(DataError, match=r"BTCUSDT.*'qtyStep'.*absent"):
        parse_instruments({"list": [row | {"lotSizeFilter": lots}]})
    with pytest.raises(DataError, match="priceFilter"):
        parse_instruments({"list": [row | {"priceFilter": None}]})


def test_recorded_body_of_the_whole_market() -> None:
    path = shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")
    duckdb = pytest.importorskip("duckdb")
    lines = duckdb.execute(
        "select line from read_csv(?, columns={'line': 'varchar'}, header=false, delim=chr(7), quote='', escape='', "
        "max_line_size=20000000, compression='zstd') where line like '%instruments-info?&category=linear%'",
        [str(path)],
    ).fetchall()
    contracts = parse_instruments(json.loads(json.loads(lines[0][0])["data"])["result"])
    assert len(contracts) > 300
    assert {contract.funding_interval_min for contract in contracts} <= {60, 120, 240, 480}
    assert all(contract.lower_funding_rate < 0 < contract.upper_funding_rate for contract in contracts)
