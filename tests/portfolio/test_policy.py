"""The policy document: what it refuses, and that it comes back as it was written."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from models.errors import BundleError
from models.portfolio.policy import (
    GateFigure,
    Policy,
    Reason,
    StrategyPolicy,
    SymbolPolicy,
    from_text,
    to_text,
)

DAY_NS = 86_400_000_000_000
LIVE = StrategyPolicy("live", (Reason("PROMOTED", "earns"),), 0.3, 0.1)
POLICY = Policy(
    made_at_ns=10 * DAY_NS,
    expires_ns=11 * DAY_NS,
    number=3,
    previous="ab",
    matrix_version="7",
    reasons=(Reason("LIVE", "impulse_engine"),),
    strategies={"impulse_engine": LIVE, "sentiment": StrategyPolicy("shadow", (Reason("NO_EVIDENCE"),))},
    symbols={"BTCUSDT": SymbolPolicy(2.5, 5, 0.2, 6, (Reason("PROBATION", "lost"),))},
    gates={
        "STALE_TICKER": GateFigure(60, 1.5, -0.5, 3.5, 12.0, "undecided"),
        "HURST": GateFigure(3, None, None, None, 1.0, "few"),
    },
)


def written(body: dict) -> str:
    """A document whose hash fits, whatever it says."""
    from hashlib import sha256

    digest = sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({**body, "sha256": digest})


def changed(path: str, value: object) -> str:
    body = json.loads(to_text(POLICY))
    del body["sha256"]
    *parents, last = path.split(".")
    place = body
    for key in parents:
        place = place[key]
    place[last] = value
    return written(body)


def test_it_comes_back_as_it_was_written() -> None:
    assert from_text(to_text(POLICY)) == POLICY
    assert from_text(to_text(POLICY)).digest == POLICY.digest
    assert POLICY.digest != replace(POLICY, number=4).digest


def test_what_is_not_named_shadows_and_is_free() -> None:
    assert POLICY.strategy("hf_scalping").state == "shadow"
    assert POLICY.strategy("hf_scalping").reasons[0].word == "NOT_IN_POLICY"
    assert POLICY.symbol("ETHUSDT") == SymbolPolicy()


def test_a_changed_byte_is_seen() -> None:
    text = to_text(POLICY).replace('"slippage_buffer_bps": 2.5', '"slippage_buffer_bps": 1.5')
    with pytest.raises(BundleError, match="SHA-256"):
        from_text(text)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            "symbols.BTCUSDT.slippage_buffer_bps",
            20.5,
            r"BTCUSDT\.slippage_buffer_bps should be a number from 0 to 20",
        ),
        ("symbols.BTCUSDT.slippage_buffer_bps", -1, "slippage_buffer_bps"),
        ("symbols.BTCUSDT.slippage_buffer_bps", True, "slippage_buffer_bps"),
        ("symbols.BTCUSDT.slippage_buffer_bps", "2", "slippage_buffer_bps"),
        ("symbols.BTCUSDT.probation", 0.5, "probation should be 0.2 or 1"),
        ("symbols.BTCUSDT.probation", 2.0, "probation"),
        ("symbols.BTCUSDT.buffer_raised_ns", -1, "buffer_raised_ns"),
        ("strategies.impulse_engine.share", 0.41, r"impulse_engine\.share"),
        ("strategies.sentiment.share", 0.1, r"sentiment\.share should be a number from 0 to 0"),
        ("strategies.sentiment.state", "on", "state should be one of live, shadow, off"),
        ("strategies.sentiment.state", "live", "sentiment is live and should say"),
        ("strategies.impulse_engine.base_share", None, "base_share"),
        ("strategies.impulse_engine.extra", 1, "extra"),
        ("expires_ns", 9 * DAY_NS, "expires_ns"),
        ("expires_ns", 18 * DAY_NS, "expires_ns"),
        ("made_at_ns", 1.5, "made_at_ns"),
        ("is_rehearsal", 0, "is_rehearsal"),
        ("number", 0, "number"),
        ("schema", 2, "schema should be 1, was 2"),
        ("gates.STALE_TICKER.trades", -1, "trades"),
        ("symbols", [], "fields"),
    ],
)
def test_out_of_range_is_refused_with_its_place(path: str, value: object, words: str) -> None:
    with pytest.raises(BundleError, match=words):
        from_text(changed(path, value))


def test_a_missing_field_is_refused() -> None:
    body = json.loads(to_text(POLICY))
    del body["sha256"], body["symbols"]["BTCUSDT"]["probation"]
    with pytest.raises(BundleError, match="probation"):
        from_text(written(body))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1, "made_at_ns": NaN}', "null"])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="policy"):
        from_text(text)


def test_shares_that_sum_to_too_much_are_refused() -> None:
    three = {name: replace(LIVE, share=0.3) for name in ("a", "b", "c")}
    with pytest.raises(BundleError, match="sum of shares"):
        to_text(replace(POLICY, strategies=three))


def test_a_number_that_is_none_is_never_written() -> None:
    symbols = {"BTCUSDT": SymbolPolicy(slippage_buffer_bps=math.nan)}
    with pytest.raises(BundleError, match="slippage_buffer_bps"):
        to_text(replace(POLICY, symbols=symbols))
