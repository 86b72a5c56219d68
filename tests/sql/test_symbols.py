"""The canonical name in SQL and in `models.market.symbols` is one rule; declared datasets are one list."""

from __future__ import annotations

import duckdb
import pytest

from hean_pipelines.resources.lake_schemas import DATASETS
from models.errors import DataError
from models.market.symbols import VENUES, contract_of
from tests.sql.support import all_models, create_table

NAMES = [
    "BTCUSDT",
    "ETHUSDC",
    "BTCUSD",
    "BTCUSD_PERP",
    "1000PEPEUSDT",
    "10000SATSUSDT",
    "1000000MOGUSDT",
    "1MBABYDOGEUSDT",
    "SHIB1000USDT",
    "1INCHUSDT",
    "1000USDT",
    "100USDT",
    "USDCUSDT",
    "1000XUSDT",
    "1MUSDT",
    "A1000USDT",
    "1000A1000USDT",
    "0GUSDT",
    "BTCUSDT_260327",
    "BTC-27MAR26",
    "btcusdt",
    "BTCEUR",
    "BTC-USDT-SWAP",
    "BTC-USD-SWAP",
    "PEPE-USDT-SWAP",
    "1INCH-USDT-SWAP",
    "BTC-USDT",
    "BTC-USDT-260327",
    "BTC-USDC-SWAP",
    "1000X-USDT-SWAP",
    "USDTUSDT",
    "USDUSDT",
    "2ZUSDT",
    "1000BONKUSDC",
    "BTC-USDT-SWAP_PERP",
]
_TABLES = {"bybit": "stg_bybit__funding", "binance": "stg_binance__funding", "okx": "stg_okx__funding"}


def test_sql_and_python_agree_on_every_name():
    model = all_models()["mart_market__symbols"]
    with duckdb.connect() as connection:
        for name in model.models:
            rows = (
                [{"symbol": symbol, "available_at": 0} for symbol in NAMES]
                if name in _TABLES.values()
                else []
            )
            create_table(connection, name, rows)
        found = connection.execute(f"select * from ({model.sql})").fetchall()
    expected = set()
    for venue in VENUES:
        for symbol in NAMES:
            try:
                contract = contract_of(venue, symbol)
            except DataError:
                continue
            expected.add(
                (
                    venue,
                    symbol,
                    contract.name,
                    contract.coin,
                    contract.quote,
                    contract.multiplier,
                    contract.is_inverse,
                    0,
                )
            )
    assert set(found) == expected
    assert len(expected) > len(NAMES)


@pytest.mark.parametrize("name", ["int_coverage__datasets", "int_coverage__day_rows"])
def test_coverage_knows_every_dataset_of_the_market(name: str):
    market = {key: value for key, value in DATASETS.items() if not key.startswith("raw_hean__")}
    model = all_models()[name]
    if name == "int_coverage__day_rows":
        assert set(model.raw) == {key for key in market if not key.endswith("__settlement_funding")}
        return
    with duckdb.connect() as connection:
        found = connection.execute(f"select dataset, venue, cadence_s from ({model.sql})").fetchall()
    assert set(found) == {(key, value.venue, value.cadence_s) for key, value in market.items()}
