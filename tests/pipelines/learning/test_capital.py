"""P1's division as the policy asks for it: which account, phase and record it is read from, and what a small account is told."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from hean_pipelines.defs.learning.capital import read_capital
from hean_pipelines.defs.learning.regime_matrix import cells_frame
from models.portfolio.policy import Policy, Reason
from models.portfolio.regime_matrix import Trade, build_matrix
from tests.pipelines.learning.marts import NOW_NS, rows, settings_of, write_marts


def test_tier_phase_and_record_are_read_from_what_the_executor_left(tmp_path: Path) -> None:
    products = write_marts(settings_of(tmp_path), rows([5.0, 5.0, 5.0]), equity_usd=20_000.0)
    trades = [Trade("S5", "RANGE", n, 1.0 + n / 10) for n in range(20)]
    products.write(products.matrix, cells_frame(build_matrix(trades)))
    capital = read_capital(products, None, NOW_NS)
    assert (capital.equity_usd, capital.tier.name) == (20_000.0, "large")
    assert dict(capital.regimes) == {"RANGE": 1} or dict(capital.regimes) == {"IMPULSE": 1}
    assert capital.record["impact_reversion"] > 0.9
    shares = capital.divide(["impact_reversion", "sentiment", "oi_momentum"])
    assert sum(shares.values()) == pytest.approx(0.8)
    assert shares["impact_reversion"] > shares["oi_momentum"]  # the same starting weight, a better record
    assert dict(read_capital(products, None, NOW_NS + 5 * 3_600_000_000_000).regimes) == {}


def test_a_small_account_runs_fewer_and_keeps_its_tier_at_the_border(tmp_path: Path) -> None:
    products = write_marts(settings_of(tmp_path), equity_usd=960.0)
    products.write(products.matrix, cells_frame([]))
    capital = read_capital(products, None, NOW_NS)
    assert capital.divide(["impact_reversion", "impulse_engine"]) == {"impulse_engine": pytest.approx(0.4)}
    assert capital.divide(["impact_reversion"]) == {}
    assert capital.reason.word == "TIER_SMALL"
    assert "960.00 USD" in capital.reason.text
    held = Policy(0, 1, reasons=(Reason("TIER_MIDDLE"),))
    assert read_capital(products, held, NOW_NS).tier.name == "middle"


def test_an_account_nobody_has_looked_at_counts_as_the_least(tmp_path: Path) -> None:
    products = write_marts(settings_of(tmp_path))
    products.write(products.matrix, cells_frame([]))
    empty = pl.DataFrame(schema={"at_ns": pl.Int64, "equity_usd": pl.Float64})
    products.write(products.mart("mart_hean__equity"), empty)
    capital = read_capital(products, None, NOW_NS)
    assert math.isnan(capital.equity_usd)
    assert capital.reason.word == "TIER_SMALL"
    assert "not known yet" in capital.reason.text
