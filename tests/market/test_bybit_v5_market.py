"""Market parsers against recorded and documented replies, and against replies that are wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from models.market.bybit_v5 import envelope_time_ns, next_page_cursor, return_code
from models.market.bybit_v5_market import (
    parse_account_ratio,
    parse_funding_history,
    parse_index_klines,
    parse_klines,
    parse_open_interest,
    parse_order_book,
    parse_recent_trades,
    parse_tickers,
)
from tests.support import shared_path

MS = 1_000_000


def documented(name: str) -> dict:
    return json.loads(Path(shared_path(f"fixtures/bybit/docs_official/{name}.json")).read_text())


def recorded(name: str) -> dict:
    """Some recordings hold the whole envelope, others only its result."""
    content = json.loads(Path(shared_path(f"fixtures/bybit/hirokisan/{name}.json")).read_text())
    return content.get("result", content)


def test_documented_funding_history() -> None:
    envelope = documented("market__history-fund-rate__0")
    parsed = parse_funding_history(envelope["result"], "ETHPERP")
    assert parsed.ts.tolist() == [1672041600000 * MS]
    assert parsed.funding_rate.tolist() == [0.0001]
    assert parsed.ts.dtype == np.int64
    assert return_code(envelope) == 0
    assert envelope_time_ns(envelope) == 1672051897447 * MS


def test_documented_open_interest_is_sorted_ascending_and_keeps_its_cursor() -> None:
    result = documented("market__open-interest__0")["result"]
    parsed = parse_open_interest(result, "BTCUSD")
    assert np.all(np.diff(parsed.ts) > 0)
    assert parsed.open_interest.tolist() == [63942311.0, 63942311.0, 63910691.0, 63910691.0, 63910691.0]
    assert next_page_cursor(result) == "lastid%3D19408935%26lasttime%3D1780617600"


def test_documented_account_ratio() -> None:
    parsed = parse_account_ratio(documented("market__long-short-ratio__0")["result"], "BTCUSDT")
    assert parsed.ts.tolist() == [1696258800000 * MS, 1696262400000 * MS]
    assert parsed.buy_ratio.tolist() == [0.4927, 0.49]
    assert parsed.sell_ratio.tolist() == [0.5073, 0.51]


def test_documented_klines_of_seven_and_of_five_columns() -> None:
    bars = parse_klines(documented("market__kline__0")["result"], "BTCUSD")
    assert bars.close.tolist() == [17071.5, 17071.0, 17055.5]
    assert bars.volume.tolist() == [6356.0, 4177.0, 268611.0]
    premium = parse_index_klines(documented("market__premium-index-kline__0")["result"], "BTCUSDT")
    assert premium.open.tolist() == [-0.000989, -0.000587]  # outside [low, high] in the venue's own sample


@pytest.mark.parametrize(
    ("name", "parse"),
    [
        ("v5-market-get-open-interest", parse_open_interest),
        ("v5-market-get-funding-rate-history", parse_funding_history),
    ],
)
def test_recorded_replies_of_the_real_venue(name: str, parse) -> None:
    result = recorded(name)
    rows = result["list"]
    symbol = result.get("symbol") or rows[0]["symbol"]
    parsed = parse(result, symbol)
    assert len(parsed[0]) == len(rows)
    assert np.all(np.diff(parsed[0]) > 0)


def test_documented_order_book() -> None:
    book = parse_order_book(documented("market__orderbook__0")["result"])
    assert (book.symbol, book.update_id, book.engine_ns) == ("BTCUSDT", 230704, 1716863718905 * MS)
    assert book.bids.tolist() == [[65485.47, 47.081829]]
    levels = {"s": "X", "b": [["1", "5"], ["2", "5"]], "a": [["4", "1"], ["3", "1"]], "ts": 1, "u": 1}
    unsorted = parse_order_book(levels)
    assert unsorted.bids[:, 0].tolist() == [2.0, 1.0]
    assert unsorted.asks[:, 0].tolist() == [3.0, 4.0]


def test_recent_trades_are_sorted_and_signed_by_the_taker() -> None:
    rows = [
        {"execId": "c", "symbol": "X", "price": "3", "size": "1", "side": "Sell", "time": "20", "seq": "7"},
        {"execId": "b", "symbol": "X", "price": "2", "size": "1", "side": "Buy", "time": "10", "seq": "5"},
        {"execId": "a", "symbol": "X", "price": "1", "size": "1", "side": "Buy", "time": "10", "seq": "5"},
    ]
    trades = parse_recent_trades({"list": rows}, "X")
    assert trades.exec_id == ["a", "b", "c"]
    assert trades.side.tolist() == [1, 1, -1]
    assert trades.ts.tolist() == [10 * MS, 10 * MS, 20 * MS]


def test_ticker_without_values_is_read_and_unknown_fields_are_ignored() -> None:
    rows = documented("market__tickers__0")["result"]["list"]
    ticker = parse_tickers({"list": [rows[0] | {"fieldOfTomorrow": {"a": 1}}]})[0]
    assert (ticker.funding_rate, ticker.funding_interval_h, ticker.funding_cap) == (0.0001, 8, 0.005)
    assert ticker.next_funding_ns == 1760371200000 * MS
    bare = parse_tickers({"list": [{"symbol": "BTCUSDT", "lastPrice": "1", "fundingRate": ""}]})[0]
    assert bare.funding_rate is None
    assert bare.mark_price is None


def test_missing_field_is_named_with_its_symbol() -> None:
    with pytest.raises(DataError, match=r"'fundingRate'.*None") as error:
        parse_funding_history({"list": [{"symbol": "BTCUSDT", "fundingRateTimestamp": "1"}]}, "BTCUSDT")
    assert "BTCUSDT" in str(error.value)
    assert error.value.remedy
    with pytest.raises(DataError, match="'lastPrice'"):
        parse_tickers({"list": [{"symbol": "BTCUSDT"}]})


@pytest.mark.parametrize("cell", ["", "abc", None, "nan", "inf"])
def test_bar_with_an_unreadable_price_names_the_column(cell) -> None:
    row = ["1672041600000", "1", "2", cell, "1.5"]
    with pytest.raises(DataError, match="'low'"):
        parse_index_klines({"symbol": "BTCUSDT", "list": [row]}, "BTCUSDT")


def test_wrong_shapes_and_wrong_symbols_are_refused() -> None:
    with pytest.raises(DataError, match="rows of 7 values"):
        parse_klines({"list": [["1", "2"]]}, "BTCUSDT")
    with pytest.raises(DataError, match="expected BTCUSDT, was 'ETHUSDT'"):
        parse_klines({"symbol": "ETHUSDT", "list": []}, "BTCUSDT")
    with pytest.raises(DataError, match="array at 'list'"):
        parse_open_interest({}, "BTCUSDT")
    with pytest.raises(DataError, match="JSON object"):
        parse_open_interest([], "BTCUSDT")


def test_empty_history_gives_empty_columns_and_doubled_rows_are_one() -> None:
    assert [len(column) for column in parse_klines({"list": []}, "X")] == [0] * 7
    row = {"openInterest": "5", "timestamp": "1000"}
    assert parse_open_interest({"list": [row, dict(row)]}, "X").open_interest.tolist() == [5.0]
