"""L4: what gates cost or saved, against Student's t by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from models.learning.gate_cost import gate_costs
from tests.learning.made import together, trades


def test_the_interval_is_that_of_ten_blocks() -> None:
    results = np.random.default_rng(3).normal(4.0, 6.0, 100)
    [cost] = gate_costs(trades(results, blocked_by="HURST"))
    means = results.reshape(10, 10).mean(axis=1)
    half = t.ppf(0.975, 9) * means.std(ddof=1) / np.sqrt(10)
    assert (cost.gate, cost.trades) == ("HURST", 100)
    assert cost.net_bps == pytest.approx(results.mean())
    assert (cost.low_bps, cost.high_bps) == pytest.approx((means.mean() - half, means.mean() + half))
    assert cost.high_usd == pytest.approx(cost.high_bps / 100.0)
    assert cost.total_usd == pytest.approx(results.sum() / 100.0)
    assert cost.verdict == "costs money"


def test_verdicts_and_order() -> None:
    rng = np.random.default_rng(4)
    table = together(
        trades(rng.normal(-5.0, 4.0, 100), blocked_by="VPIN"),
        trades(rng.normal(0.0, 20.0, 60), blocked_by="HURST"),
        trades(rng.normal(9.0, 1.0, 49), blocked_by="COOLDOWN"),
        trades(rng.normal(9.0, 1.0, 90)),
        trades(rng.normal(9.0, 1.0, 90), is_live=True),
    )
    costs = gate_costs(table)
    assert [(c.gate, c.verdict) for c in costs] == [
        ("VPIN", "saves money"),
        ("HURST", "undecided"),
        ("COOLDOWN", "not enough data"),
    ]
    assert np.isnan(costs[-1].net_bps)
    assert costs[-1].total_usd > 0.0


def test_no_blocks_no_costs() -> None:
    assert gate_costs(trades([1.0])) == []
