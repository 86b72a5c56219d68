"""Tapes the studies read, one form for all: a synthetic market by its seed, or one symbol of a recording.

A tape can be read again and again and never lies in memory whole. Finding recordings in a folder is `recordings`' business,
which synthetic market serves which study is `planted`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hean_pipelines.studies.outcome import Market

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.market.feature_params import FeatureParams
    from models.market.tape import Events
    from models.simulation.order_flow.parameters import OrderFlowParameters

SYNTHETIC = "SYNTHETIC"
SYNTHETIC_STANDS_FOR = "BTCUSDT"
"""Whose turnover the order-flow markets have."""

OnHours = Callable[[float], None]
"""Told how many hours of tape were read since the last call."""


@dataclass(frozen=True)
class Tape:
    """A tape.

    Attributes
    ----------
    market : Market
        What it is; its length is known beforehand.
    tick_size, lot_size : float
        Quote, base.
    chunks : callable
        Opens it: an iterator of arrays of EVENT.
    costs : bool
        Whether studies charge costs; only a planted null goes without, where they would hide what it should show.
    told : callable, optional
        Opens it with what is known beyond it: an iterator of events and the outlooks (array of OUTLOOK) of the same stretch.
    holds : tuple of str, optional
        Which of the data strategies may need (`models.strategies.catalogue`) it holds; None for what its kind of tape does.
    bar_s : float
        Length of the bars it was made of; 0 where it is made of messages.

    """

    market: Market
    tick_size: float
    lot_size: float
    chunks: Callable[[], Iterator[Events]]
    costs: bool = True
    told: Callable[[], Iterator[tuple[Events, NDArray[np.void]]]] | None = None
    holds: tuple[str, ...] | None = None
    bar_s: float = 0.0

    def features(self, base: FeatureParams | None = None) -> FeatureParams:
        """Return the parameters of the market record, as the executor has them for the symbol."""
        from models.market.symbol_params import params_of_symbol

        own = self.market.symbol
        return params_of_symbol(SYNTHETIC_STANDS_FOR if own == SYNTHETIC else own, base=base)

    def stretches(self) -> Iterator[tuple[Events, NDArray[np.void]]]:
        """Open the tape with its outlooks; none where nothing is known beyond it."""
        from models.market.outlook import new_outlooks

        if self.told is not None:
            yield from self.told()
            return
        nothing = new_outlooks(0)
        for events in self.chunks():
            yield events, nothing


def synthetic_tape(
    parameters: OrderFlowParameters, seed: int, hours: float, name: str, *, costs: bool = True
) -> Tape:
    """Return a synthetic market as a tape; it is generated anew each time it is opened."""

    def chunks() -> Iterator[Events]:
        from models.simulation.order_flow.generator import stream_order_flow

        for chunk in stream_order_flow(parameters, seed, 3600.0 * hours):
            yield chunk.events

    market = Market("synthetic", f"{name}, seed {seed}", SYNTHETIC, seed, (), hours)
    return Tape(market, parameters.tick_size, parameters.lot_size, chunks, costs)
