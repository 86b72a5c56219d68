"""Trade dumps: columns by name, sides, times of any unit, damage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.market.readers.csv_trades import (
    CsvTradesReader,
    binance_agg_trades_reader,
    bybit_trades_reader,
    time_ns,
)
from models.market.tape import TRADE, Events, is_sorted

BYBIT = b"""timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional
1755648000.1385,BTCUSDT,Sell,0.003,113500.10,ZeroMinusTick,4d4ad26c-901f-5146-adc0-1db29b6b9ab6,3.4e+10,0.003,340.5
1755648000.2,BTCUSDT,Buy,1.5,113500.20,PlusTick,x,1,2,3
"""
BINANCE = b"""agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker
1,61800.30,0.006,10,11,1723161256322,true
2,61800.40,0.5,12,12,1723161256400,false
"""


def read(reader: CsvTradesReader, *blocks: bytes) -> Events:
    chunks = list(reader.read(blocks))
    assert {chunk.symbol for chunk in chunks} == {"BTCUSDT"}
    return np.concatenate([chunk.events for chunk in chunks])


def columns(events: Events) -> list[tuple[int, int, float, float]]:
    assert set(events["kind"].tolist()) == {TRADE}
    assert events["local_ts"].tolist() == events["exch_ts"].tolist()
    return [(int(e["local_ts"]), int(e["side"]), float(e["price"]), float(e["size"])) for e in events]


def test_bybits_dump() -> None:
    expected = [
        (1_755_648_000_138_500_000, -1, 113500.1, 0.003),
        (1_755_648_000_200_000_000, 1, 113500.2, 1.5),
    ]
    assert columns(read(bybit_trades_reader("BTCUSDT"), BYBIT)) == expected
    headless = BYBIT.split(b"\n", 1)[1].replace(b"\n", b"\r\n")
    assert columns(read(bybit_trades_reader("BTCUSDT"), headless)) == expected


def test_bybits_spot_dump_has_other_columns() -> None:
    text = (
        b"id,timestamp,price,volume,side,rpi\n1,1755648000138,10.5,2,buy,0\n2,1755648000139,10.4,3,sell,0\n"
    )
    assert columns(read(bybit_trades_reader("BTCUSDT"), text)) == [
        (1_755_648_000_138_000_000, 1, 10.5, 2.0),
        (1_755_648_000_139_000_000, -1, 10.4, 3.0),
    ]


@pytest.mark.parametrize(
    "text",
    [BINANCE, BINANCE.split(b"\n", 1)[1], BINANCE.replace(b"true", b"True").replace(b"false", b"False")],
)
def test_binances_dump_where_a_maker_who_bought_means_a_sell(text: bytes) -> None:
    assert columns(read(binance_agg_trades_reader("BTCUSDT"), text)) == [
        (1_723_161_256_322_000_000, -1, 61800.3, 0.006),
        (1_723_161_256_400_000_000, 1, 61800.4, 0.5),
    ]


def test_small_chunks_and_several_files_lose_nothing() -> None:
    reader = binance_agg_trades_reader("BTCUSDT", chunk_events=1)
    first = [BINANCE[:70], BINANCE[70:150], BINANCE[150:]]
    chunks = [*reader.read(first), *reader.read([BINANCE])]
    assert [chunk.events.size for chunk in chunks] == [1, 1, 1, 1]
    assert reader.stats.messages == 4


def test_disorder_is_handed_on_as_it_is() -> None:
    rows = BYBIT.splitlines(keepends=True)
    assert not is_sorted(read(bybit_trades_reader("BTCUSDT"), rows[0], rows[2], rows[1]))


def test_damaged_rows_are_counted() -> None:
    reader = bybit_trades_reader("BTCUSDT")
    endings = [b"Buy", b"Hold,1,2", b"Buy,x,2", b"Buy,0,2"]
    bad = b"".join(b"1755648000.3,BTCUSDT," + ending + b"\n" for ending in endings) + b",BTCUSDT,Buy,1,2\n"
    assert len(read(reader, BYBIT, bad)) == 2
    assert (reader.stats.malformed, reader.stats.first_malformed_line) == (5, 3)


def test_a_header_without_the_columns_is_refused() -> None:
    with pytest.raises(DataError, match="expected a column side or is_buyer_maker, was timestamp, open"):
        list(bybit_trades_reader("BTCUSDT").read([b"timestamp,open\n1,2\n"]))
    with pytest.raises(DataError, match="expected 1 to 32 bytes"):
        bybit_trades_reader("x" * 33)


def at(text: str) -> int:
    return time_ns(np.frombuffer(f"{text},\n".encode(), dtype=np.uint8), 0)


@given(st.integers(1_000_000_000_000_000_000, 4_000_000_000_000_000_000))
def test_times_of_any_unit_are_exact(ns: int) -> None:
    assert at(str(ns)) == ns
    assert at(str(ns // 1000)) == ns // 1000 * 1000
    assert at(str(ns // 1_000_000)) == ns // 1_000_000 * 1_000_000
    assert at(f"{ns // 10**9}.{ns % 10**9:09d}") == ns
    assert at(f"{ns // 10**9}.{ns % 10**9:09d}9") == ns


def test_what_is_no_time_is_refused() -> None:
    assert at("x") == -1
    assert at("") == -1
    assert at("12345678901234567890") == -1
