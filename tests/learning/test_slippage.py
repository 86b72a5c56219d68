"""L1: the 15 % rule acts on a real gap, not on noise, and not twice on the same trades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.learning.slippage import SlippageRules, buffer_changes, shadow_against_live
from models.learning.trades import DAY_NS, TradeTable
from models.portfolio.policy import Policy, SymbolPolicy
from tests.learning.made import NOW_NS, together, trades

RULES = SlippageRules()


def twins(
    cost_bps: float, *, n: int = 400, seed: int = 1, noise_bps: float = 1.0, blocked: float = 0.0
) -> TradeTable:
    rng = np.random.default_rng(seed)
    market = rng.normal(2.0, 15.0, n)
    fills = market - cost_bps + rng.normal(0.0, noise_bps, n)
    return together(trades(market), trades(fills, is_live=True))


def change(table: TradeTable, previous: Policy | None = None) -> tuple[str, float]:
    gaps = shadow_against_live(table, previous, NOW_NS, RULES)
    found = buffer_changes(gaps, previous, NOW_NS, RULES)["BTCUSDT"]
    return found.verdict, found.change_bps


def raised(at_ns: int) -> Policy:
    return replace(Policy(0, 0), symbols={"BTCUSDT": SymbolPolicy(2.0, at_ns)})


def test_a_real_gap_raises_the_buffer() -> None:
    assert change(twins(5.0)) == ("raise", 2.0)


def test_equal_fills_lower_it() -> None:
    assert change(twins(0.0)) == ("lower", -1.0)


def test_few_trades_say_nothing() -> None:
    assert change(twins(20.0, n=29)) == ("not enough data", -0.25)


def test_noise_does_not_act() -> None:
    # Live fills that scatter by 10 bps about the paper's, without a cost: the stated level is 1 % a turn.
    verdicts = [change(twins(0.0, n=60, seed=seed, noise_bps=10.0))[0] for seed in range(100)]
    assert verdicts.count("raise") <= 4
    assert "hold" in verdicts  # the bare rule of 15 % would have acted on these


def test_old_trades_do_not_raise_twice() -> None:
    table = twins(5.0)
    assert change(table, raised(NOW_NS - 5 * DAY_NS))[0] == "raise"  # half of them are newer
    assert change(table, raised(NOW_NS)) == ("not enough data", 0.0)  # waits for new ones


def test_a_buffer_that_keeps_every_trade_away_decays() -> None:
    # Nothing since a raise eight days ago.
    found = buffer_changes([], raised(NOW_NS - 8 * DAY_NS), NOW_NS, RULES)["BTCUSDT"]
    assert found.change_bps == -0.25
    assert buffer_changes([], raised(NOW_NS - 6 * DAY_NS), NOW_NS, RULES)["BTCUSDT"].change_bps == 0.0


def test_blocked_shadows_have_no_twin() -> None:
    table = together(twins(0.0), trades(np.full(400, 50.0), blocked_by="STALE_TICKER"))
    assert change(table)[0] == "lower"


def test_one_strategy_speaks_for_the_symbol() -> None:
    bad = twins(5.0)
    other = replace(twins(0.0, seed=2), strategy=np.full(800, "hf_scalping", dtype=object))
    gaps = shadow_against_live(together(bad, other), None, NOW_NS, RULES)
    assert [(gap.strategy, gap.verdict) for gap in gaps] == [
        ("hf_scalping", "lower"),
        ("impulse_engine", "raise"),
    ]
    assert buffer_changes(gaps, None, NOW_NS, RULES)["BTCUSDT"].words.startswith("impulse_engine")


def test_the_ratio_by_hand() -> None:
    table = together(trades([30.0, -10.0] * 20), trades([20.0, -20.0] * 20, is_live=True))
    [gap] = shadow_against_live(table, None, NOW_NS, RULES)
    prior = 20.0
    assert gap.shadow_factor == pytest.approx((600 + prior) / (200 + prior))
    assert gap.live_factor == pytest.approx(1.0)
    assert gap.ratio == pytest.approx(620 / 220)
