"""Capital of the shadows: enough for a lot at the smallest share, the same for all symbols, and never less than set."""

from __future__ import annotations

import numpy as np
import pytest

from hean_live.shadow.bank import SymbolBank
from hean_live.shadow.capital import LEAST_LOTS, least_share, shadow_capital
from hean_live.shadow.contracts import ShadowContract
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from models.market.tape import EVENT
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.order_flow.scenarios import everything
from models.strategies.catalogue import CATALOGUE

MAKERS = ("inventory_neutral_mm", "rebate_farmer")
COARSE = ShadowContract(0.5, 0.002, 0.0002, 0.00055)  # a lot is worth 120 USD on the tape


def test_the_smallest_share_is_that_of_the_catalogue():
    assert least_share() == CATALOGUE["sentiment"].params().capital_share == 0.005
    assert all(CATALOGUE[name].params().capital_share >= least_share() for name in MAKERS)


@pytest.mark.parametrize(
    ("wanted", "lot", "usd"),
    [
        (10_000.0, 60.0, 20_000.0),
        (10_000.0, 66.6, 20_000.0),  # 19 980 are needed
        (10_000.0, 95.0, 50_000.0),
        (10_000.0, 33.3, 10_000.0),  # 9 990 are needed
        (300.0, 0.2, 300.0),
        (75_000.0, 95.0, 75_000.0),
    ],
)
def test_capital_is_what_was_set_or_what_a_lot_asks_for(wanted, lot, usd):
    capital = shadow_capital("BTCUSDT", wanted, lot)
    assert capital.usd == usd
    assert f"{usd:,.0f} USD on BTCUSDT" in capital.words
    assert capital.usd * least_share() >= LEAST_LOTS * lot


def test_the_words_say_what_was_raised_and_why():
    assert shadow_capital("BTCUSDT", 10_000.0, 60.0).words == (
        "20,000 USD on BTCUSDT instead of 10,000 as set: the smallest share of a strategy, 0.5 %, should reach 1.5 lots, one of"
        " which is worth 60.00 USD; results are told as of 10,000"
    )


@pytest.fixture(scope="module")
def tape():
    stretches = stream_synthetic_tape(everything(), 5, 1200.0)
    return np.concatenate([stretch.events.view(np.uint8) for stretch in stretches]).view(EVENT)


def test_market_makers_quote_with_it_where_they_could_not(tape):
    quoted = {}
    for usd in (10_000.0, shadow_capital("BTCUSDT", 10_000.0, 120.0).usd):
        bank = SymbolBank("BTCUSDT", COARSE, usd, MAKERS)
        rows = []
        for start in range(0, len(tape), 500):
            bank.take(tape[start : start + 500])
            rows += [row for row in bank.quotes(MAKERS) if row.resting]
        quoted[usd] = {row.strategy for row in rows}
        for row in rows:
            # A share of capital, less what was rounded off to lots.
            assert all(0.0 < quote.quantity <= 0.011 * usd / 60_000.0 for quote in row.resting)
    assert quoted == {10_000.0: set(), 50_000.0: set(MAKERS)}


def test_what_came_of_it_is_told_as_of_the_capital_that_was_set(tape):
    """The matrix of regimes holds USD a trade against a least value: more capital may not make a strategy worth more."""
    fine = ShadowContract(0.5, 0.000001, 0.0002, 0.00055)
    service = ShadowService(
        {"BTCUSDT": fine, "ETHUSDT": fine},
        EventTap(["BTCUSDT", "ETHUSDT"]),
        10_000.0,
        ("impact_reversion", *MAKERS),
        traded_usd={"BTCUSDT": 50_000.0},
    )
    raised, as_set = service.make_banks()
    assert [bank._run.parameters.run.capital for bank in (raised, as_set)] == [50_000.0, 10_000.0]
    # The same tape; of BTCUSDT five times the quantity is traded.
    mine, theirs = (bank.take(tape)[1] for bank in (raised, as_set))
    known = {(trip.strategy, trip.entry_ns): trip for trip in theirs}
    both = [(trip, known[key]) for trip in mine if (key := (trip.strategy, trip.entry_ns)) in known]
    alike = [(a, b) for a, b in both if (a.entry_price, a.exit_price) == (b.entry_price, b.exit_price)]
    assert len(alike) > 3
    for a, b in alike:
        assert a.quantity == pytest.approx(b.quantity, rel=2e-3)
        for name in ("notional_usd", "fees_usd", "profit_usd"):
            assert getattr(a, name) == pytest.approx(getattr(b, name), rel=3e-3)
        assert a.profit_usd / a.notional_usd == pytest.approx(b.profit_usd / b.notional_usd, rel=1e-9)
