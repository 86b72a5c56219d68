"""The polite HTTP layer: the budget is kept, every passing fault is survived, the rest is told clearly."""

import time
from collections.abc import Mapping

import pytest

from hean_pipelines.sources.http import PoliteHttp, RequestsBanned, Retry
from models.errors import DataError, Retryable
from tests.pipelines.market_data.fake_bybit import Step, envelope, fake_bybit

GOOD = Step(body=envelope({"list": []}))


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0, "a negative wait"
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def accept(_body: Mapping, _headers: Mapping) -> Retry | None:
    return None


def polite(clock: Clock, **options) -> PoliteHttp:
    return PoliteHttp(sleep=clock.sleep, monotonic=clock, wall=clock, timeout_s=5, **options)


@pytest.mark.parametrize(
    "fault",
    [
        Step(drop=True),
        Step(body=envelope({"list": [1] * 500}), cut=40),
        Step(body=b'{"retCode":0,"result":{"li'),
        Step(body=b"<html>busy</html>"),
        Step(body=b"[1, 2]"),
        Step(status=500, body=b"oops"),
        Step(status=503),
        Step(status=429),
    ],
    ids=["dropped", "cut short", "half JSON", "HTML", "JSON list", "500", "503", "429"],
)
def test_passing_fault_is_survived(fault: Step) -> None:
    clock = Clock()
    with fake_bybit(fault, fault, GOOD) as venue:
        http = polite(clock)
        assert http.get_json(f"{venue.base_url}/v5/x?a=1", accept)["retCode"] == 0
        http.close()
    assert len(venue.asked) == 3
    assert http.traffic.retries == 2
    assert len(clock.slept) == 2


def test_attempts_are_bounded_and_the_message_says_what_happened() -> None:
    clock = Clock()
    with fake_bybit(Step(status=502, body=b"bad gateway")) as venue:
        http = polite(clock, max_attempts=4)
        with pytest.raises(Retryable, match=r"/v5/market/kline\?symbol=X.*HTTP 502.*4 attempts") as error:
            http.get_json(f"{venue.base_url}/v5/market/kline?symbol=X", accept)
    assert len(venue.asked) == 4
    assert error.value.remedy
    assert all(wait <= 0.25 * 2**n for n, wait in enumerate(clock.slept))


def test_unreachable_venue_is_told_with_its_address() -> None:
    clock = Clock()
    http = polite(clock, max_attempts=2)
    with pytest.raises(Retryable, match=r"127\.0\.0\.1:9/.*[Rr]efused"):
        http.get_json("http://127.0.0.1:9/v5/market/time", accept)


def test_slow_venue_times_out_and_is_asked_again() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        http = PoliteHttp(timeout_s=0.05, max_attempts=2, sleep=lambda _s: None)
        with pytest.raises(Retryable, match=r"no answer within 0\.05 s"):
            http.get_json(f"http://127.0.0.1:{deaf.getsockname()[1]}/x", accept)
        http.close()
    assert http.traffic.requests == 2


def test_retry_after_is_obeyed() -> None:
    clock = Clock()
    with fake_bybit(Step(status=429, headers={"Retry-After": "7"}), GOOD) as venue:
        polite(clock).get_json(f"{venue.base_url}/x", accept)
    assert 7.0 <= clock.slept[0] < 8.0


def test_retry_after_as_a_date_in_the_past_waits_only_the_backoff() -> None:
    clock = Clock()
    stamp = "Thu, 01 Jan 1970 00:00:01 GMT"
    with fake_bybit(Step(status=503, headers={"Retry-After": stamp}), GOOD) as venue:
        polite(clock).get_json(f"{venue.base_url}/x", accept)
    assert clock.slept[0] <= 0.25


def test_ban_is_not_asked_again_and_silences_the_whole_host_for_ten_minutes() -> None:
    clock = Clock()
    with fake_bybit(Step(status=403, body=b"access too frequent"), GOOD) as venue:
        http = polite(clock)
        with pytest.raises(RequestsBanned, match="access too frequent") as error:
            http.get_json(f"{venue.base_url}/a", accept)
        assert "wait 10 minutes" in error.value.remedy
        with pytest.raises(RequestsBanned, match="not sent"):
            http.get_json(f"{venue.base_url}/b", accept)
        assert venue.asked == ["/a"]
        assert clock.slept == []
        clock.now += 601
        assert http.get_json(f"{venue.base_url}/c", accept)["retCode"] == 0
    assert isinstance(error.value, Retryable)


def test_refusal_that_asking_again_cannot_change_is_told_at_once() -> None:
    with (
        fake_bybit(Step(status=404, body=b"no such path")) as venue,
        pytest.raises(DataError, match="was 404"),
    ):
        polite(Clock()).get_json(f"{venue.base_url}/wrong", accept)
    assert len(venue.asked) == 1


def test_judge_asks_again_and_names_its_reason() -> None:
    clock = Clock()
    with fake_bybit(GOOD) as venue:
        http = polite(clock, max_attempts=3)
        with pytest.raises(Retryable, match="too many visits"):
            http.get_json(f"{venue.base_url}/x", lambda _b, _h: Retry("too many visits", 2.0))
    assert all(2.0 <= wait <= 2.0 + 0.25 * 2**n for n, wait in enumerate(clock.slept))


def test_no_five_seconds_hold_more_than_the_budget() -> None:
    clock = Clock()
    sent: list[float] = []

    def note(_body: Mapping, _headers: Mapping) -> None:
        sent.append(clock.now)
        clock.now += 0.01

    with fake_bybit(GOOD) as venue:
        http = polite(clock, requests_per_5s=20)
        for _ in range(70):
            http.get_json(f"{venue.base_url}/x", note)
    busiest = max(sum(1 for other in sent if 0 <= other - at < 5.0) for at in sent)
    assert busiest == 20
    assert http.traffic.waiting_s > 10


def test_percent_encoded_query_is_sent_verbatim() -> None:
    with fake_bybit(GOOD) as venue:
        polite(Clock()).get_json(f"{venue.base_url}/x?cursor=lastid%3D1%26lasttime%3D2", accept)
    assert venue.asked == ["/x?cursor=lastid%3D1%26lasttime%3D2"]


def test_one_connection_serves_many_requests() -> None:
    with fake_bybit(GOOD) as venue:
        http = PoliteHttp()
        started = time.perf_counter()
        for _ in range(50):
            http.get_json(f"{venue.base_url}/x", accept)
        http.close()
    assert http.traffic.requests == 50
    assert time.perf_counter() - started < 5
