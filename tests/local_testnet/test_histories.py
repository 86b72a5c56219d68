from __future__ import annotations

import pytest
import requests

from tests.local_testnet.server import RunningTestnet

HOUR, DAY = 3_600_000, 86_400_000


def funding(testnet: RunningTestnet, **params: object) -> list[int]:
    body = testnet.get("/v5/market/funding/history", category="linear", symbol="BTCUSDT", **params)
    assert body["retCode"] == 0, body
    return [int(row["fundingRateTimestamp"]) for row in body["result"]["list"]]


def interest(testnet: RunningTestnet, **params: object) -> tuple[list[int], str]:
    fields = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "1h"} | params
    body = testnet.get("/v5/market/open-interest", **fields)
    assert body["retCode"] == 0, body
    return [int(row["timestamp"]) for row in body["result"]["list"]], body["result"]["nextPageCursor"]


def ratio(testnet: RunningTestnet, **params: object) -> tuple[list[int], str]:
    body = testnet.get("/v5/market/account-ratio", category="linear", symbol="BTCUSDT", period="1h", **params)
    assert body["retCode"] == 0, body
    return [int(row["timestamp"]) for row in body["result"]["list"]], body["result"]["nextPageCursor"]


def test_funding_with_a_lone_start_is_an_error(testnet: RunningTestnet) -> None:
    body = testnet.get(
        "/v5/market/funding/history", category="linear", symbol="BTCUSDT", startTime=testnet.now_ms - DAY
    )
    assert body["retCode"] == 10001
    assert body["retMsg"] == "Time is invalid"


def test_funding_with_a_lone_end_gives_rows_up_to_it(testnet: RunningTestnet) -> None:
    end = testnet.now_ms - 2 * DAY
    assert funding(testnet, endTime=end, limit=3) == [end, end - 8 * HOUR, end - 16 * HOUR]


def test_funding_without_times_gives_the_last_rows(testnet: RunningTestnet) -> None:
    assert funding(testnet, limit=2) == [testnet.now_ms, testnet.now_ms - 8 * HOUR]
    assert len(funding(testnet)) == 30  # ten days of three settlements, below the default of 200


def test_funding_between_two_ends(testnet: RunningTestnet) -> None:
    end = testnet.now_ms - DAY
    assert funding(testnet, startTime=end - 8 * HOUR, endTime=end) == [end, end - 8 * HOUR]


def test_funding_never_shows_what_is_not_paid(testnet: RunningTestnet) -> None:
    assert max(funding(testnet, startTime=0, endTime=testnet.now_ms + 10 * DAY)) <= testnet.now_ms


def test_open_interest_ignores_a_lone_start(testnet: RunningTestnet) -> None:
    lone = interest(testnet, startTime=testnet.now_ms - 9 * DAY, limit=4)
    assert lone == interest(testnet, limit=4)
    assert lone[0][0] == testnet.now_ms


def test_open_interest_is_anchored_at_its_end_and_pages_down_to_its_start(testnet: RunningTestnet) -> None:
    start = testnet.now_ms - 2 * DAY
    end = start + 5 * HOUR
    first, cursor = interest(testnet, startTime=start, endTime=end, limit=5)
    assert first == [end - k * HOUR for k in range(5)]
    assert "%3D" in cursor
    assert "=" not in cursor
    # The cursor is already percent-encoded and goes back verbatim.
    url = (
        f"{testnet.base_url}/v5/market/open-interest?category=linear&symbol=BTCUSDT&intervalTime=1h"
        f"&startTime={start}&endTime={end}&limit=5&cursor={cursor}"
    )
    second = requests.get(url, timeout=5).json()["result"]
    assert [int(row["timestamp"]) for row in second["list"]] == [start]
    assert second["nextPageCursor"] == ""


def test_a_cursor_encoded_twice_is_refused(testnet: RunningTestnet) -> None:
    _, cursor = interest(testnet, limit=5)
    body = testnet.get(
        "/v5/market/open-interest",
        category="linear",
        symbol="BTCUSDT",
        intervalTime="1h",
        limit=5,
        cursor=cursor,
    )
    assert body["retCode"] == 10001


@pytest.mark.parametrize(
    ("step", "name"), [(HOUR // 12, "5min"), (HOUR // 2, "30min"), (4 * HOUR, "4h"), (DAY, "1d")]
)
def test_open_interest_lies_on_the_grid_of_its_interval(
    testnet: RunningTestnet, step: int, name: str
) -> None:
    times, _ = interest(testnet, intervalTime=name, limit=5)
    assert times == [testnet.now_ms // step * step - k * step for k in range(5)]


def test_open_interest_counts_both_sides(testnet: RunningTestnet) -> None:
    body = testnet.get(
        "/v5/market/open-interest", category="linear", symbol="BTCUSDT", intervalTime="1h", limit=1
    )
    row = body["result"]["list"][0]
    assert float(row["singleOpenInterest"]) * 2 == pytest.approx(float(row["openInterest"]), rel=1e-6)


def test_limits_of_pages(testnet: RunningTestnet) -> None:
    assert len(interest(testnet)[0]) == 50
    assert len(interest(testnet, intervalTime="5min", limit=999)[0]) == 200
    assert len(ratio(testnet)[0]) == 50
    assert (
        len(ratio(testnet, limit=999)[0]) == 240
    )  # all complete hours of ten days, below the maximum of 500


def test_account_ratio_pages_and_sums_to_one(testnet: RunningTestnet) -> None:
    end = testnet.now_ms - DAY
    first, cursor = ratio(testnet, startTime=end - 3 * HOUR, endTime=end, limit=2)
    assert first == [end, end - HOUR]
    assert cursor.startswith("lastid%3D")
    body = testnet.get("/v5/market/account-ratio", category="linear", symbol="BTCUSDT", period="1h", limit=50)
    for row in body["result"]["list"]:
        assert float(row["buyRatio"]) + float(row["sellRatio"]) == pytest.approx(1.0)


def test_account_ratio_shows_complete_periods_only(testnet: RunningTestnet) -> None:
    assert ratio(testnet, limit=1)[0] == [testnet.now_ms - HOUR]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("funding/history", {}),
        ("open-interest", {"intervalTime": "1h"}),
        ("account-ratio", {"period": "1h"}),
    ],
)
def test_bad_questions_are_refused(testnet: RunningTestnet, path: str, params: dict[str, str]) -> None:
    good = {"category": "linear", "symbol": "BTCUSDT"} | params
    for change in (
        {"symbol": "NOPEUSDT"},
        {"category": "spot"},
        {"limit": "0"},
        {"startTime": "9", "endTime": "3"},
    ):
        assert testnet.get(f"/v5/market/{path}", **(good | change))["retCode"] == 10001, change
    for name in good:
        missing = {key: value for key, value in good.items() if key != name}
        body = testnet.get(f"/v5/market/{path}", **missing)
        assert (body["retCode"], name in body["retMsg"].lower() or name in body["retMsg"]) == (10001, True)
    assert testnet.get(f"/v5/market/{path}", **good, unknown="1")["retCode"] == 0
