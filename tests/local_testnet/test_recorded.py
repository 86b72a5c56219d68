"""The recorded market: what a folder holds is served, what it lacks is answered empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests

from hean_live.local_testnet.markets import recorded_files
from hean_live.local_testnet.markets.recorded import RecordedMarket
from hean_live.local_testnet.setup import build_venue, open_market
from hean_live.local_testnet.venue import derive_keys
from models.errors import ConfigError
from tests.local_testnet.client import buy, order_of, signed_get
from tests.local_testnet.server import RunningTestnet, serve
from tests.support import shared_path

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = datetime(2025, 6, 2, tzinfo=UTC)  # a Monday
START_MS = int(START.timestamp() * 1000)


def bars(symbol: str, step: str, count: int, skip: tuple[int, ...] = (), **more: object) -> pl.DataFrame:
    length = {"5m": 5, "1h": 60}[step] * MINUTE
    keep = [k for k in range(count) if k not in skip]
    return pl.DataFrame(
        {
            "venue": ["bybit"] * len(keep),
            "market": ["linear_perp"] * len(keep),
            "symbol": [symbol] * len(keep),
            "interval": [step] * len(keep),
            "ts": pl.Series([START_MS + k * length for k in keep], dtype=pl.Datetime("ms", "UTC")),
            "open": [100.0 + k for k in keep],
            "high": [102.0 + k for k in keep],
            "low": [99.5 + k for k in keep],
            "close": [101.0 + k for k in keep],
            "volume": [2.5] * len(keep),
            "source": ["test"] * len(keep),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two symbols: OLDUSDT has five-minute bars with a hole and hours before them; BAREUSDT has funding only."""
    five = bars("OLDUSDT", "5m", 60, skip=(14, 15))
    five.write_parquet(tmp_path / "bybit_perp_klines_5m.parquet")
    pl.concat([bars("OLDUSDT", "1h", 2)]).write_parquet(tmp_path / "bybit_perp_klines_1h.parquet")
    pl.DataFrame(
        {
            "venue": ["bybit"] * 5,
            "symbol": ["OLDUSDT"] * 3 + ["BAREUSDT"] * 2,
            "ts": pl.Series([START_MS + h * HOUR for h in (0, 4, 5, 0, 8)], dtype=pl.Datetime("ms", "UTC")),
            "funding_rate": [0.0001, 0.00012, -0.00003, 0.0001, 0.0001],
            "source": ["test"] * 5,
        }
    ).write_parquet(tmp_path / "bybit_funding.parquet")
    (tmp_path / "notes.txt").write_text("not data")
    return tmp_path


def running(market: RecordedMarket, now_ms: int) -> Any:
    return serve(build_venue(market, derive_keys(1), now_ms=now_ms, speed=0, ip_limit=100_000))


def rows(testnet: RunningTestnet, path: str, **params: object) -> list[Any]:
    body = testnet.get(f"/v5/market/{path}", **({"category": "linear"} | params))
    assert body["retCode"] == 0, body
    found: list[Any] = body["result"]["list"]
    return found


def test_closed_bars_only_and_gaps_stay_gaps(folder: Path) -> None:
    with running(RecordedMarket(folder), START_MS + 2 * HOUR + 7 * MINUTE) as testnet:
        found = rows(testnet, "kline", symbol="OLDUSDT", interval="5")
        times = [(int(row[0]) - START_MS) // (5 * MINUTE) for row in found]
        assert times == [k for k in range(24, -1, -1) if k not in (14, 15)]
        assert found[0][1:] == ["124.0", "126.0", "123.5", "125.0", "2.5", "311.5625"]
        # Neither data finer than recorded nor bars made of a gappy quarter.
        assert rows(testnet, "kline", symbol="OLDUSDT", interval="1") == []
        quarters = [
            (int(row[0]) - START_MS) // (15 * MINUTE)
            for row in rows(testnet, "kline", symbol="OLDUSDT", interval="15")
        ]
        assert quarters == [7, 6, 3, 2, 1, 0]


def test_hours_come_from_hours_where_minutes_lack(folder: Path) -> None:
    with running(RecordedMarket(folder), START_MS + 4 * HOUR) as testnet:
        found = {
            (int(row[0]) - START_MS) // HOUR: row
            for row in rows(testnet, "kline", symbol="OLDUSDT", interval="60")
        }
        assert set(found) == {0, 1, 2, 3}
        assert found[0][4] == "112.0"  # last close of its twelve five-minute bars
        assert found[1][1:5] == ["101.0", "103.0", "100.5", "102.0"]  # the hole lies here: the recorded hour


def test_symbols_without_a_history_are_known_and_empty(folder: Path) -> None:
    with running(RecordedMarket(folder), START_MS + 6 * HOUR) as testnet:
        for path, params in (
            ("kline", {"interval": "5"}),
            ("mark-price-kline", {"interval": "60"}),
            ("index-price-kline", {"interval": "60"}),
            ("premium-index-price-kline", {"interval": "1"}),
            ("open-interest", {"intervalTime": "1h"}),
            ("account-ratio", {"period": "1h"}),
            ("recent-trade", {}),
            ("tickers", {}),
        ):
            assert rows(testnet, path, symbol="BAREUSDT", **params) == [], path
        assert (
            testnet.get("/v5/market/kline", category="spot", symbol="OLDUSDT", interval="5")["result"]["list"]
            == []
        )
        assert testnet.get("/v5/market/kline", symbol="NEWUSDT", interval="5")["retCode"] == 10001
        assert buy(testnet, "BAREUSDT", "1")["retCode"] == 110074


def test_what_the_files_do_not_say_is_guessed_from_how_they_are_written(folder: Path) -> None:
    with running(RecordedMarket(folder), START_MS + 4 * HOUR + 1) as testnet:
        row = rows(testnet, "instruments-info", symbol="OLDUSDT")[0]
        assert (row["priceFilter"]["tickSize"], row["lotSizeFilter"]["qtyStep"]) == ("0.1", "0.1")
        assert row["fundingInterval"] == 60  # the settlements around the clock are an hour apart
        assert row["upperFundingRate"] == "0.02"
        assert row["launchTime"] == str(START_MS)
        ticker = rows(testnet, "tickers", symbol="OLDUSDT")[0]
        assert (ticker["fundingRate"], ticker["indexPrice"], ticker["markPrice"]) == ("", "", "")
        assert ticker["nextFundingTime"] == str(START_MS + 5 * HOUR)


def test_trading_a_recording_settles_its_funding(folder: Path) -> None:
    with running(RecordedMarket(folder), START_MS + 3 * HOUR) as testnet:
        ticker = rows(testnet, "tickers", symbol="OLDUSDT")[0]
        ack = buy(testnet, "OLDUSDT", "1")["result"]
        filled = order_of(testnet, "OLDUSDT", ack["orderId"])
        assert Decimal(filled["avgPrice"]) == Decimal(ticker["ask1Price"]) > Decimal(ticker["lastPrice"])
        testnet.clock(now_ms=START_MS + 5 * HOUR)
        paid = signed_get(testnet, "/v5/execution/list", category="linear", execType="Funding")["result"][
            "list"
        ]
        assert [(row["feeRate"], int(row["execTime"])) for row in paid] == [
            ("-0.00003", START_MS + 5 * HOUR),
            ("0.00012", START_MS + 4 * HOUR),
        ]
        assert Decimal(paid[1]["execFee"]) == Decimal(paid[1]["markPrice"]) * Decimal("0.00012")


def test_resting_orders_fill_when_a_bar_went_beyond(folder: Path) -> None:
    with running(RecordedMarket(folder), START_MS + 3 * HOUR) as testnet:
        sold = buy(testnet, "OLDUSDT", "1", side="Sell", orderType="Limit", price="150.0")["result"][
            "orderId"
        ]
        assert order_of(testnet, "OLDUSDT", sold)["orderStatus"] == "New"
        testnet.advance(hours=1, minutes=5)  # bar 48 reaches 150, bar 49 goes beyond
        assert order_of(testnet, "OLDUSDT", sold)["orderStatus"] == "New"
        testnet.advance(minutes=5)
        assert order_of(testnet, "OLDUSDT", sold)["orderStatus"] == "Filled"


def test_the_clock_starts_at_the_end_unless_told(folder: Path) -> None:
    market, now_ms = open_market(
        f"recorded:{folder}", seed=1, symbols=None, start_ms=None, now_ms=None, days=None, extra_days=0
    )
    assert now_ms == market.last_ms == START_MS + 8 * HOUR
    assert sorted(market.listings("linear")) == ["BAREUSDT", "OLDUSDT"]
    with pytest.raises(ConfigError, match="must start within the data"):
        build_venue(market, derive_keys(1), now_ms=START_MS - 1)


def test_folders_that_are_no_recordings(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bad in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(ConfigError, match="must be a folder with files"):
            RecordedMarket(bad)
    with pytest.raises(ConfigError, match="must be in the recording"):
        RecordedMarket(folder, ["NEWUSDT"])

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(recorded_files, "import_module", missing)
    with pytest.raises(ConfigError) as caught:
        RecordedMarket(folder)
    assert "hean[pipelines]" in caught.value.remedy


@pytest.fixture(scope="module")
def real() -> Iterator[RunningTestnet]:
    market = RecordedMarket(shared_path("data/history"))
    with running(market, int(datetime(2025, 7, 1, 0, 7, tzinfo=UTC).timestamp() * 1000)) as testnet:
        yield testnet


@pytest.mark.parametrize(
    ("file", "path", "params"),
    [
        ("bybit_perp_klines_5m", "kline", {"interval": "5"}),
        ("bybit_spot_klines_5m", "kline", {"interval": "5", "category": "spot"}),
        ("bybit_mark_klines_1h", "mark-price-kline", {"interval": "60"}),
    ],
)
def test_real_bars_are_served_as_recorded(
    real: RunningTestnet, file: str, path: str, params: dict[str, str]
) -> None:
    span = {"5": 5, "60": 60}[params["interval"]] * MINUTE
    frame = pl.read_parquet(shared_path(f"data/history/{file}.parquet"))
    frame = frame.filter(pl.col("symbol") == "BTCUSDT").with_columns(pl.col("ts").dt.epoch("ms"))
    newest = real.now_ms - span
    frame = frame.filter((pl.col("ts") <= newest) & (pl.col("ts") > newest - 1000 * span)).sort(
        "ts", descending=True
    )
    served = rows(real, path, symbol="BTCUSDT", limit=1000, **params)
    wanted = [tuple(row) for row in frame.select("ts", "open", "high", "low", "close").rows()]
    assert [(int(row[0]), *map(float, row[1:5])) for row in served[: len(wanted)]] == wanted
    assert len(wanted) >= 990


def test_real_funding_and_interest(real: RunningTestnet) -> None:
    frame = pl.read_parquet(shared_path("data/history/bybit_funding.parquet")).with_columns(
        pl.col("ts").dt.epoch("ms")
    )
    for symbol in ("BTCUSDT", "SOLUSDT", "HYPEUSDT"):
        past = frame.filter((pl.col("symbol") == symbol) & (pl.col("ts") <= real.now_ms)).sort(
            "ts", descending=True
        )
        served = rows(real, "funding/history", symbol=symbol)
        assert [(int(r["fundingRateTimestamp"]), float(r["fundingRate"])) for r in served] == past.select(
            "ts", "funding_rate"
        ).head(200).rows()
    assert len(rows(real, "open-interest", symbol="BTCUSDT", intervalTime="1h", limit=200)) == 200
    assert rows(real, "open-interest", symbol="BTCUSDT", intervalTime="5min") == []
    assert rows(real, "open-interest", symbol="ETHUSDT", intervalTime="1h") == []


def test_real_symbols_are_all_known(real: RunningTestnet) -> None:
    found = {row["symbol"]: row["fundingInterval"] for row in rows(real, "instruments-info")}
    assert {"BTCUSDT", "ETHUSDT", "SOLUSDT", "WIFUSDT"} <= set(found)
    assert found["BTCUSDT"] == 480
    answer = requests.get(
        f"{real.base_url}/v5/market/tickers?category=linear&symbol=BTCUSDT", timeout=5
    ).json()
    assert Decimal(answer["result"]["list"][0]["lastPrice"]) > 50_000
