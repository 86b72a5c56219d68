"""Synthetic markets with a planted truth for each study, and the null beside it: what the study must find, and must not.

Here belong numbers only, with the reason for each. A truth holds the effect the study looks for; its null looks as much like
it as can be without the effect. Books are light (fewer updates, fewer levels) so that many hours are affordable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hean_pipelines.studies.tapes import Tape, synthetic_tape

if TYPE_CHECKING:
    from models.simulation.order_flow.parameters import OrderFlowParameters

TRUTH: Final = "truth"
NULL: Final = "null"


class Planted(NamedTuple):
    """A planted market.

    Attributes
    ----------
    words : str
        What is planted.
    changes : dict
        Parameters that differ from the quiet market.
    costs : bool
        Whether costs are charged.

    """

    words: str
    changes: dict[str, object]
    costs: bool = True


_QUIET: Final[dict[str, object]] = {
    "book_updates": 5.0,
    "refreshed_levels": 2,
    "levels": 10,
    "whales_per_hour": 0.0,
    "cascades_per_hour": 0.0,
    "trends_per_hour": 0.0,
}
_LOUD: Final = (3.0, 3.0, 3.0)
# A thin book on a coarse grid: forced orders print several bps through it, as F6 wants to see.
_THIN: Final[dict[str, object]] = {
    "start_price": 2000.0,
    "tick_size": 0.1,
    "lot_size": 0.01,
    "trade_size_median": 0.5,
    "regime_touch_depth": (6.0, 4.0, 2.0),
    "levels": 20,
    "refreshed_levels": 3,
    "cascades_per_hour": 8.0,
    "cascade_orders": 80.0,
    "cascade_duration_s": 30.0,
    "cascade_order_multiple": 150.0,
}

MARKETS: Final[dict[str, dict[str, Planted]]] = {
    "E2": {
        TRUTH: Planted(
            "cascades that always sell and then come back: one-sided flow comes before a rise",
            {
                "cascades_per_hour": 6.0,
                "cascade_long_share": 1.0,
                "cascade_overshoot_bps": 80.0,
            },
        ),
        NULL: Planted("a crowd without direction", {}),
    },
    "E3": {
        TRUTH: Planted(
            "cascades that overshoot by 60 bps, which comes back, and move the price by 15 bps for good",
            {"cascades_per_hour": 4.0, "cascade_overshoot_bps": 60.0},
        ),
        NULL: Planted(
            "one-sided forced orders without any impact in a market so volatile that noise alone passes both thresholds",
            {
                "cascades_per_hour": 4.0,
                "cascade_overshoot_bps": 0.0,
                "cascade_permanent_bps": 0.0,
                "regime_volatility_bps": _LOUD,
            },
        ),
    },
    "E5": {
        TRUTH: Planted(
            "whales whose impact of 2.4 bps comes back within seconds", {"whales_per_hour": 120.0}
        ),
        NULL: Planted(
            "whales of the same size in a loud market of which nothing comes back",
            {"whales_per_hour": 120.0, "whale_transient_bps": 0.0, "regime_volatility_bps": _LOUD},
        ),
    },
    "E6": {
        TRUTH: Planted(
            "forced flow that overshoots by 150 bps and comes back with a time constant of 60 s",
            {
                **_THIN,
                "cascade_overshoot_bps": 150.0,
                "cascade_permanent_bps": 5.0,
                "cascade_reversion_s": 60.0,
            },
        ),
        NULL: Planted(
            "the same forced orders of which the impact stays, and no costs, which would fail it by themselves",
            {**_THIN, "cascade_overshoot_bps": 0.0, "cascade_permanent_bps": 155.0},
            costs=False,
        ),
    },
    "E7": {
        TRUTH: Planted(
            "whales whose impact of 25 bps comes back within seconds: every configuration of S5 earns, some far more than others",
            {"whales_per_hour": 120.0, "whale_transient_bps": 25.0, "whale_reversion_s": 3.0},
        ),
        NULL: Planted(
            "whales of whose impact just so much comes back as the spread costs, in a loud market, and no fees",
            {
                "whales_per_hour": 60.0,
                "whale_transient_bps": 0.65,
                "whale_permanent_bps": 5.0,
                "regime_volatility_bps": _LOUD,
            },
            costs=False,
        ),
    },
}


def planted_parameters(study: str, which: str) -> OrderFlowParameters:
    """Return the parameters of a study's market, `TRUTH` or `NULL`."""
    from models.simulation.order_flow.parameters import OrderFlowParameters

    return OrderFlowParameters(**{**_QUIET, **MARKETS[study][which].changes})  # type: ignore[arg-type]


def planted_words(study: str, which: str) -> str:
    """Return what is planted in a study's market."""
    return MARKETS[study][which].words


def planted_tape(study: str, which: str, seed: int, hours: float) -> Tape:
    """Return a study's market as a tape."""
    planted = MARKETS[study][which]
    name = f"planted {which}: {planted.words}"
    return synthetic_tape(planted_parameters(study, which), seed, hours, name, costs=planted.costs)
