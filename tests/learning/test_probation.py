"""L2: a symbol that loses in golden hours, and its ways back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.learning.probation import Standing, standings
from models.learning.trades import DAY_NS, TradeTable
from models.portfolio.policy import Policy, SymbolPolicy
from tests.learning.made import NOW_NS, together, trades

LOSES = [-10.0, -10.0, 8.0] * 20
EARNS = [10.0, 10.0, -8.0] * 20
ON = replace(
    Policy(0, 0), symbols={"BTCUSDT": SymbolPolicy(probation=0.2, probation_since_ns=NOW_NS - 11 * DAY_NS)}
)


def judged(table: TradeTable, previous: Policy | None = None) -> Standing:
    [found] = standings(table, previous, NOW_NS)
    return found


def test_losing_in_golden_hours_enters() -> None:
    found = judged(trades(LOSES, is_live=True, hour=10))
    assert (found.probation, found.has_changed) == (0.2, True)
    assert found.factor < 0.8 < 1.0
    assert found.high < 1.0


def test_losing_outside_or_on_paper_does_not() -> None:
    assert standings(trades(LOSES, is_live=True, hour=17), None, NOW_NS) == []
    assert judged(trades(LOSES, hour=10)).probation == 1.0


def test_few_losses_do_not() -> None:
    assert judged(trades(LOSES[:29], is_live=True, hour=10)).probation == 1.0


def test_noise_seldom_does() -> None:
    # Symbols that neither earn nor lose: the stated level is 5 % a look, few days make it somewhat more.
    results = [np.random.default_rng(seed).normal(0.0, 30.0, 40) for seed in range(100)]
    found = [judged(trades(each, is_live=True, hour=10, days=13.0)) for each in results]
    assert sum(each.probation < 1.0 for each in found) <= 14
    assert sum(each.factor < 0.8 for each in found) > 14  # the bare rule would act on these


def test_it_leaves_when_it_earns_again() -> None:
    found = judged(trades(EARNS, is_live=True, hour=10), ON)
    assert (found.probation, found.has_changed) == (1.0, True)
    stays = judged(trades(LOSES, is_live=True, hour=10), ON)
    assert (stays.probation, stays.has_changed) == (0.2, False)


def test_without_live_trades_the_shadows_lead_back() -> None:
    few_live = trades(LOSES[:5], is_live=True, hour=10)
    assert judged(together(few_live, trades(EARNS, hour=11)), ON).probation == 1.0


def test_trades_before_the_probation_do_not_bring_it_back() -> None:
    freed = replace(Policy(0, 0), symbols={"BTCUSDT": SymbolPolicy(probation=1.0, probation_since_ns=NOW_NS)})
    assert judged(trades(LOSES, is_live=True, hour=10), freed).probation == 1.0


def test_a_symbol_on_probation_is_judged_without_any_trade() -> None:
    found = judged(trades([]), ON)
    assert (found.trades, found.probation) == (0, 0.2)
