"""The series a client can fetch contradict one another nowhere: checked on what comes over HTTP, not on what is behind it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.funding.formula import average_premium, funding_rate
from tests.local_testnet.server import RunningTestnet

MINUTE, HOUR = 60_000, 3_600_000


def premiums(testnet: RunningTestnet, symbol: str, start: int, end: int) -> np.ndarray:
    """Closes of the minute premium index from `start` up to, not including, `end`."""
    body = testnet.get(
        "/v5/market/premium-index-price-kline",
        symbol=symbol, interval="1", start=start, end=end - 1, limit=1000,
    )  # fmt: skip
    found = [(int(row[0]), float(row[4])) for row in reversed(body["result"]["list"])]
    assert [ts for ts, _ in found] == list(range(start, end, MINUTE))
    return np.array([value for _, value in found])


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "WIFUSDT"])
def test_settled_rates_are_the_formula_of_the_served_premium(testnet: RunningTestnet, symbol: str) -> None:
    instrument = testnet.get("/v5/market/instruments-info", category="linear", symbol=symbol)["result"][
        "list"
    ][0]
    lower, upper = float(instrument["lowerFundingRate"]), float(instrument["upperFundingRate"])
    rows = testnet.get("/v5/market/funding/history", category="linear", symbol=symbol)["result"]["list"]
    settled = sorted((int(row["fundingRateTimestamp"]), float(row["fundingRate"])) for row in rows)
    assert len(settled) >= 30
    for (before, _), (at, rate) in pairwise(settled):
        hours = (at - before) // HOUR
        expected = funding_rate(average_premium(premiums(testnet, symbol, before, at)), hours, lower, upper)
        assert rate == pytest.approx(float(expected), abs=0.5e-8 + 1e-15)


def test_the_ticker_estimates_the_running_interval(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.advance(hours=3, minutes=10, seconds=20)
    ticker = testnet.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    upcoming = int(ticker["nextFundingTime"])
    start = upcoming - int(ticker["fundingIntervalHour"]) * HOUR
    last_closed = testnet.now_ms // MINUTE * MINUTE
    so_far = premiums(testnet, "BTCUSDT", start, last_closed)
    assert len(so_far) == 190
    assert float(ticker["fundingRate"]) == pytest.approx(
        float(funding_rate(average_premium(so_far), 8)), abs=0.6e-8
    )
    # The estimate is not the settled rate: only the settlement publishes that.
    testnet.clock(now_ms=upcoming)
    rows = testnet.get("/v5/market/funding/history", category="linear", symbol="BTCUSDT", limit=1)["result"][
        "list"
    ]
    assert int(rows[0]["fundingRateTimestamp"]) == upcoming


def test_perp_is_index_times_one_plus_premium(testnet: RunningTestnet) -> None:
    def closes(path: str, **params: object) -> np.ndarray:
        body = testnet.get(f"/v5/market/{path}", symbol="BTCUSDT", interval="1", limit=1000, **params)
        return np.array([float(row[4]) for row in body["result"]["list"]][1:])

    perp, index, premium = closes("kline"), closes("index-price-kline"), closes("premium-index-price-kline")
    mark, spot = closes("mark-price-kline"), closes("kline", category="spot")
    assert np.abs(perp / index - 1 - premium).max() < 1e-4
    assert ((mark - index) * (mark - perp) <= 1e-2).all()
    # Spot stands a little off the index, so perp/spot − 1 is a biased proxy of the premium.
    offset = perp / spot - 1 - premium
    assert 0 < abs(offset.mean()) < 2e-4
    assert np.corrcoef(perp / spot - 1, premium)[0, 1] > 0.9


def test_what_was_served_does_not_change_when_the_clock_runs_on(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "WIFUSDT"))
    now = testnet.now_ms
    questions = [
        ("kline", {"symbol": "BTCUSDT", "interval": "5", "start": now - 6 * HOUR, "end": now - 5 * MINUTE}),
        (
            "kline",
            {
                "category": "spot",
                "symbol": "WIFUSDT",
                "interval": "60",
                "start": now - 50 * HOUR,
                "end": now - HOUR,
            },
        ),
        (
            "mark-price-kline",
            {"symbol": "BTCUSDT", "interval": "15", "start": now - 6 * HOUR, "end": now - 15 * MINUTE},
        ),
        ("funding/history", {"category": "linear", "symbol": "WIFUSDT", "startTime": 0, "endTime": now}),
        (
            "open-interest",
            {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min", "endTime": now},
        ),
        ("account-ratio", {"category": "linear", "symbol": "BTCUSDT", "period": "1h", "endTime": now - HOUR}),
    ]
    before = [testnet.get(f"/v5/market/{path}", **params)["result"] for path, params in questions]
    testnet.advance(days=3, minutes=7)
    after = [testnet.get(f"/v5/market/{path}", **params)["result"] for path, params in questions]
    assert before == after
