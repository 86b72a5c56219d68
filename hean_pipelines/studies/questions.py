"""What each strategy's brief claims, as something that can be measured before any backtest.

Here belong numbers and words, one entry a strategy, each after "Falsified if" of its page in docs/strategies. What is common to
all is `first_step`; parameters of the strategies are their own defaults.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hean_pipelines.studies.bar_datasets import (
    EVERY_VENUE,
    FORECASTS,
    INTEREST,
    MOOD,
    OTHER_PERP,
    PERP,
    RATES,
    SPOT,
)

NOTHING: Final = "costs"
"""The worth of a signal is held against its costs alone."""
RANDOM: Final = "random times"
EQUAL_MOVES: Final = "equal moves without a signal"

MOVE: Final = "move"
"""Of the price, and of the other market where there is a second leg."""
CARRY: Final = "carry"
"""The move with the funding received."""
FOLLOWING: Final = "following"
"""What going with the move as far as it has gone earns; see `models.evidence.signal_worth.following_bps`."""


class Question(NamedTuple):
    """What is asked of a strategy's signals.

    Attributes
    ----------
    asks : str
        In words, after the study's name.
    horizon_s : float
        How long after a signal; the verdict is about this one. Signals nearer to the one before count as one with it.
    control : str
        What their worth is held against.
    hours : float
        Length of the synthetic market: enough signals for an interval where the effect is planted.
    tick_s, step_s : float
        Alpha tick, and distance of the instants at which the price is read.
    worth : str
        `MOVE`, `CARRY` or `FOLLOWING`.
    back_s : float
        Over which the move before is taken where `control` is `EQUAL_MOVES`.
    cost_bps : float
        Taken off the worth where the brief asks for more than costs.
    threshold_bps : float
        What must be exceeded.
    fills, at_fill_price : bool
        Signals are fills that open a position, and count from their price instead of the mid.
    null : str
        Slow market in which nothing should be found.
    bars : tuple of str
        Assets its signals can be read from as well: 5-minute closes, and what was known beside them. Empty where signals are
        made of what happens within a bar.

    """

    asks: str
    horizon_s: float
    control: str
    hours: float
    tick_s: float = 1.0
    step_s: float = 5.0
    worth: str = MOVE
    back_s: float = 0.0
    cost_bps: float = 0.0
    threshold_bps: float = 0.0
    fills: bool = False
    at_fill_price: bool = False
    null: str = "null"
    bars: tuple[str, ...] = ()


_DAY: Final = 24.0

QUESTIONS: Final[dict[str, Question]] = {
    "funding_pressure": Question(
        "funding received exceeds what the price moves against the paid side, from entry to 5 min after the settlement",
        6000.0,
        NOTHING,
        45.0 * _DAY,
        step_s=60.0,
        worth=CARRY,
        bars=(PERP, RATES, FORECASTS),
    ),
    "funding_harvester": Question(
        "funding received less the move of the price exceeds the costs of 8 bps (maker in, taker out, half a spread)",
        2100.0,
        NOTHING,
        45.0 * _DAY,
        step_s=60.0,
        worth=CARRY,
        cost_bps=8.0,
        bars=(PERP, RATES, FORECASTS),
    ),
    "liquidation_gravity": Question(
        "five minutes after the break of a cluster the price has gone further than after moves as large without one",
        300.0,
        EQUAL_MOVES,
        20.0 * _DAY,
        back_s=60.0,
    ),
    "liquidation_hunter": Question(
        "with a cascade expected the price goes further in an hour than after moves as large without",
        3600.0,
        EQUAL_MOVES,
        60.0 * _DAY,
        back_s=900.0,
    ),
    "impact_reversion": Question(
        "the price comes back by more than 1 bp within 5 s after a whale, more than at other times",
        5.0,
        RANDOM,
        2.0 * _DAY,
        tick_s=0.25,
        step_s=0.25,
        threshold_bps=1.0,
    ),
    "forced_flow_exhaustion": Question(
        "the price comes back within two minutes after forced flow is exhausted",
        120.0,
        RANDOM,
        12.0 * _DAY,
        tick_s=0.25,
        step_s=1.0,
    ),
    "impulse_engine": Question(
        "the price goes on within five minutes, on the side the toxicity of the flow tells",
        300.0,
        RANDOM,
        20.0 * _DAY,
    ),
    "hf_scalping": Question(
        "two minutes after its entries the price has gone on back into the range",
        120.0,
        RANDOM,
        10.0 * _DAY,
        step_s=1.0,
    ),
    "momentum_trader": Question(
        "breakouts in trending regimes go on for two hours", 7200.0, RANDOM, 30.0 * _DAY, step_s=60.0
    ),
    "liquidity_sweep": Question(
        "after a run beyond a swing level and back the price goes on back for half an hour",
        1800.0,
        RANDOM,
        20.0 * _DAY,
    ),
    "enhanced_grid": Question(
        "a quarter of an hour after a grid's first fill the price is back towards the middle of the range",
        900.0,
        RANDOM,
        20.0 * _DAY,
        fills=True,
    ),
    "inventory_neutral_mm": Question(
        "5 s after a quote's fill the mid is worth more than price and fee of 2 bps",
        5.0,
        NOTHING,
        2.0 * _DAY,
        step_s=1.0,
        cost_bps=2.0,
        fills=True,
        at_fill_price=True,
    ),
    "rebate_farmer": Question(
        "two minutes after a fill half a percent away the mid is worth more than price and fees of 7.5 bps",
        120.0,
        NOTHING,
        20.0 * _DAY,
        step_s=1.0,
        cost_bps=7.5,
        fills=True,
        at_fill_price=True,
    ),
    "basis_arbitrage": Question(
        "a gap beyond costs between perpetual and spot closes within four hours rather than widens",
        14400.0,
        NOTHING,
        45.0 * _DAY,
        step_s=60.0,
        bars=(PERP, SPOT, RATES),
    ),
    "correlation_arb": Question(
        "the spread of a pair comes back within four hours, by the terms of the entry",
        14400.0,
        NOTHING,
        60.0 * _DAY,
        step_s=60.0,
        bars=(PERP,),
    ),
    "sentiment": Question(
        "the day after a turn at an extreme of the mood is better than after any other turn as large",
        86400.0,
        EQUAL_MOVES,
        300.0 * _DAY,
        step_s=300.0,
        back_s=14400.0,
        bars=(PERP, MOOD),
    ),
    "cross_exchange_funding": Question(
        "funding received on both venues in 12 h less what their prices part exceeds the costs of 24 bps (four takers' fills)",
        43200.0,
        NOTHING,
        72.0 * _DAY,
        step_s=60.0,
        worth=CARRY,
        cost_bps=24.0,
        bars=(PERP, OTHER_PERP, RATES, EVERY_VENUE),
    ),
    "oi_momentum": Question(
        "the hour after a signal is better than after moves as large without",
        3600.0,
        EQUAL_MOVES,
        30.0 * _DAY,
        back_s=900.0,
        bars=(PERP, INTEREST),
    ),
    "synthetic_convexity": Question(
        "in the day after a start the price goes further one way than it moves to and fro",
        86400.0,
        NOTHING,
        80.0 * _DAY,
        step_s=300.0,
        worth=FOLLOWING,
    ),
}
"""One a strategy, by its name."""
