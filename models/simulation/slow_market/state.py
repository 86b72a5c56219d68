"""State of a slow market and the numbers of its kernels, as two records, so that it can be cut anywhere.

Here belong layout and the state at the start; how it changes is in the kernels.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from models.market.features.records import new_record, record_dtype
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.symbols import SlowSymbol

SECOND_NS: Final = 1_000_000_000
QUARTER_NS: Final = 250_000_000
NEVER: Final = np.iinfo(np.int64).max

# Effects that take their course over time: rows of the `course_*` fields and of the timers.
TREND: Final = 0
IMPULSE: Final = 1
RANGE: Final = 2
SWEEP: Final = 3
CASCADE: Final = 4
INTEREST: Final = 5
SENTIMENT: Final = 6
COURSES: Final = 7
# What happens at an instant: further timers.
NEXT_WHALE: Final = 7
NEXT_SPIKE: Final = 8
NEXT_REGIME: Final = 9
NEXT_DAY: Final = 10
NEXT_SWING: Final = 11
TIMERS: Final = 12

# Stages of a cascade.
BUILD: Final = 1
SLIDE: Final = 2
FORCED: Final = 3

EFFECT_NAMES: Final = {
    TREND: "trend",
    IMPULSE: "impulse",
    RANGE: "range",
    SWEEP: "sweep",
    CASCADE: "cascade",
    INTEREST: "interest",
    SENTIMENT: "sentiment",
    NEXT_WHALE: "whale",
    NEXT_SPIKE: "spike",
}

# Displacements that fade: whale, spike, overshoot of a cascade.
OF_WHALE: Final = 0
OF_SPIKE: Final = 1
OF_CASCADE: Final = 2
FADING: Final = 3

SWINGS: Final = 13
SWING_NS: Final = 300 * SECOND_NS
CLOSES: Final = 1008
CLOSE_NS: Final = 600 * SECOND_NS
REFIT_CLOSES: Final = 36

STATE: Final = record_dtype(
    [
        ("random", np.uint64),
        ("now", np.int64),  # of the step under way, venue time
        ("clock", np.int64),  # venue time of the last message
        ("local", np.int64),  # when it was received
        ("next_report", np.int64),
        ("next_outlook", np.int64),
        ("begun", np.int64),
        ("n", np.int64),  # events and outlooks in the chunk at hand, episodes likewise
        ("m", np.int64),
        ("k", np.int64),
        # Price, in ticks and bps.
        ("fair", np.float64),
        ("displaced", np.float64, (FADING,)),
        ("range_bps", np.float64),
        ("carry_bps_per_s", np.float64),
        ("regime", np.int64),
        ("fast", np.int64),  # 1 while steps have to be quarters of a second
        ("quarter", np.int64),  # 1 if the step that has passed was one
        # Book.
        ("quoted", np.float64),
        ("strain", np.float64),
        ("touch", np.int64, (2,)),  # ticks of bid and ask, their sizes in lots
        ("touch_lots", np.float64, (2,)),
        ("deepest", np.int64, (2,)),  # outermost rungs that stand
        # Crowd.
        ("excitation", np.float64),
        # Effects: what acts now, and their sums.
        ("timers", np.int64, (TIMERS,)),
        ("wake", np.int64),
        ("stage", np.int64, (COURSES,)),
        ("side", np.int64, (COURSES,)),
        ("began", np.int64, (COURSES,)),
        ("course_drift", np.float64, (COURSES,)),  # bps per s
        ("course_flow", np.float64, (COURSES,)),
        ("course_activity", np.float64, (COURSES,)),
        ("course_volatility", np.float64, (COURSES,)),
        ("course_interest", np.float64, (COURSES,)),  # fraction per s
        ("drift", np.float64),
        ("flow", np.float64),
        ("activity", np.float64),
        ("volatility", np.float64),
        ("interest_rate", np.float64),
        ("size", np.float64, (COURSES,)),  # bps of the episode under way
        ("forced_left", np.float64),  # share of a cascade still to come
        ("forced_weight", np.float64),
        ("forced_orders", np.int64),  # traded, and planned
        ("forced_planned", np.int64),
        ("order_side", np.int64),  # of the aggressive order of this step, its lots, and whether it is forced
        ("order_lots", np.float64),
        ("order_forced", np.int64),
        # Swing levels.
        ("highs", np.float64, (SWINGS,)),
        ("lows", np.float64, (SWINGS,)),
        ("swings", np.int64),
        ("ready_ns", np.int64),  # since when a sweep waits for its level; 0 while none does
        # Reports.
        ("open_interest", np.float64),
        ("reported_ns", np.int64),
        ("premium", np.float64),
        ("crowd_premium", np.float64),
        ("premium_minutes", np.int64),  # of the interval, seen
        ("premium_sum", np.float64),
        ("premium_weight", np.float64),
        ("current_rate", np.float64),  # NaN before the first settlement
        ("predicted", np.float64, (5,)),  # mean, sd, P above, P below, P positive
        ("predicted_at", np.int64),
        ("settlement", np.int64),
        # Other markets.
        ("pair_spread", np.float64),
        ("pair_terms", np.float64, (5,)),  # alpha, beta, sigma, half-life, p-value
        ("closes", np.int64),
        ("own_closes", np.float64, (CLOSES,)),
        ("partner_closes", np.float64, (CLOSES,)),
        ("other_difference", np.float64),
        ("other_gap_bps", np.float64),
        ("fear_greed", np.float64),
        ("fear_greed_value", np.float64),
        ("fear_greed_at", np.int64),
    ]
)

EPISODE: Final = np.dtype(
    [
        ("start_ns", np.int64),
        ("end_ns", np.int64),
        ("effect", np.int64),
        ("stage", np.int64),
        ("side", np.int64),
        ("size_bps", np.float64),
    ],
    align=True,
)
"""One stretch of an effect (`EFFECT_NAMES`): its stage (for cascades `BUILD`, `SLIDE`, `FORCED`), the side the price goes,
and how far by plan. Truth: for tests and scores, nothing a strategy may read."""

_DERIVED: Final = [
    ("tick_size", np.float64),
    ("lot_size", np.float64),
    ("open_interest", np.float64),
    ("start_tick", np.float64),
    ("trade_lots", np.float64),
    ("rung_ticks", np.int64),
    ("rung_seed", np.uint64),
    ("sqrt_s", np.float64, (2,)),  # of a step of 1 s and of a quarter
    ("step_s", np.float64, (2,)),
    ("fading", np.float64, (2, FADING)),
    ("range_keep", np.float64, (2,)),
    ("range_noise", np.float64, (2,)),
    ("excitation_keep", np.float64, (2,)),
    ("strain_keep", np.float64, (2,)),
    ("premium_keep", np.float64),
    ("premium_noise", np.float64),
    ("premium_minute_keep", np.float64),
    ("premium_minute_noise", np.float64),
    ("pair_alpha", np.float64),
    ("pair_keep", np.float64),
    ("pair_step_noise", np.float64),
    ("other_keep", np.float64),
    ("other_noise", np.float64),
    ("implied", np.float64),
    ("cascade_probability", np.float64, (4,)),
]
_INTEGERS: Final = ("start_ns", "rungs")


def _fields() -> list[Any]:
    fields: list[Any] = []
    for name, value in SlowMarketParameters._field_defaults.items():
        if isinstance(value, tuple):
            fields.append((name, np.float64, (len(value),)))
        else:
            fields.append((name, np.int64 if name in _INTEGERS else np.float64))
    return fields + _DERIVED


NUMBERS: Final = record_dtype(_fields())
"""`SlowMarketParameters`, the symbol, and what follows from them, as compiled code reads it."""


def new_state(parameters: SlowMarketParameters, symbol: SlowSymbol, seed: int) -> np.record:
    """Return a market in which nothing has happened yet.

    Parameters
    ----------
    parameters : SlowMarketParameters
    symbol : SlowSymbol
    seed : int
        Not negative.

    """
    state: Any = new_record(STATE)
    state.random = np.random.SeedSequence((seed, symbol.number)).generate_state(1, np.uint64)[0]
    state.now = state.clock = state.local = state.reported_ns = parameters.start_ns
    state.next_report = state.next_outlook = parameters.start_ns
    state.fair = symbol.price / symbol.tick_size
    state.regime = 1
    state.current_rate = state.fear_greed = np.nan
    state.predicted[:] = np.nan
    state.pair_terms[:] = np.nan
    state.timers[:] = NEVER
    state.course_activity[:] = state.course_volatility[:] = 1.0
    state.activity = state.volatility = 1.0
    state.open_interest = symbol.open_interest_usd / symbol.price
    state.premium = 1e-4 * parameters.premium_mean_bps
    state.other_difference = 1e-4 * parameters.other_rate_bps_per_h
    state.fear_greed_value = 50.0
    return state  # type: ignore[no-any-return]
