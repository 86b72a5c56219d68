from __future__ import annotations

import numpy as np

from models.funding.formula import average_premium, funding_rate
from models.simulation.settlements import CALM_HOURS, interval_rate, settle

HOUR_MS = 3_600_000
START = 1_735_689_600_000


def test_rate_is_the_formula_rounded_and_capped() -> None:
    premium = np.random.default_rng(1).standard_normal(480) * 1e-3 + 1.5e-3
    expected = float(funding_rate(average_premium(premium), 8))
    assert interval_rate(premium, 8, 0.02) == round(expected, 8)
    assert interval_rate(premium, 8, 0.0005) == 0.0005
    assert interval_rate(-premium, 8, 0.0005) == -0.0005
    assert interval_rate(np.zeros(60), 1, 0.02) == 0.0000125


def test_regular_schedule() -> None:
    paid = settle(np.zeros(3 * 480 + 100), START, 8, 0.01, dynamic=True)
    assert paid.ts_ms.tolist() == [START + 8 * k * HOUR_MS for k in (1, 2, 3)]
    assert paid.interval_h.tolist() == [8, 8, 8]


def test_a_rate_at_the_cap_makes_settlements_hourly_until_it_has_been_calm() -> None:
    premium = np.zeros(10 * 1440)
    premium[480:960] = 0.05  # the second interval ends at the cap
    paid = settle(premium, START, 8, 0.01, dynamic=True)
    assert paid.rate[1] == 0.01
    hourly = int((paid.interval_h == 1).sum())
    assert paid.interval_h[2 : 2 + hourly].tolist() == [1] * hourly
    assert hourly >= CALM_HOURS
    back = paid.ts_ms[2 + hourly - 1]
    assert (back - START) % (8 * HOUR_MS) == 0
    assert set(paid.interval_h[2 + hourly :]) == {8}
    assert np.diff(paid.ts_ms)[-1] == 8 * HOUR_MS


def test_symbols_without_the_dynamic_rule_keep_their_interval() -> None:
    paid = settle(np.full(4 * 480, 0.05), START, 8, 0.01, dynamic=False)
    assert paid.interval_h.tolist() == [8] * 4
    assert paid.rate.tolist() == [0.01] * 4
