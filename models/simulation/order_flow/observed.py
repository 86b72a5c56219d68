"""A synthetic market as a strategy sees it beside what is true of it: features and labels at every alpha tick, episodes.

Here belongs bringing the two together; scores are in `models.evidence.detector_scores`. Tape and labels pass through in
chunks, so memory is that of the ticks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.market.book import new_books
from models.market.feature_params import FeatureParams, params_record
from models.market.feature_spec import FEATURE_NAMES
from models.market.record import feature_view, new_markets
from models.market.step import run
from models.regimes.hmm import GaussianHmm
from models.simulation.order_flow.generator import stream_order_flow
from models.simulation.order_flow.labels import EPISODE, LABEL
from models.simulation.order_flow.parameters import OrderFlowParameters


class Observed(NamedTuple):
    """Features and truth of one market.

    Attributes
    ----------
    times : ndarray of int64, shape (ticks,)
        Local times, ns UTC.
    features : ndarray of float64, shape (ticks, features)
    labels : ndarray of LABEL, shape (ticks,)
        Truth after the last event received before each tick.
    episodes : ndarray of EPISODE
        In venue time; those that had ended.
    events : int
        Rows of the tape.

    """

    times: NDArray[np.int64]
    features: NDArray[np.float64]
    labels: NDArray[np.void]
    episodes: NDArray[np.void]
    events: int

    def feature(self, name: str) -> NDArray[np.float64]:
        """One feature at every tick."""
        return self.features[:, FEATURE_NAMES.index(name)]


def observe(
    parameters: OrderFlowParameters,
    seed: int,
    duration_s: float,
    feature_params: FeatureParams | None = None,
    hmm: GaussianHmm | None = None,
    leave_out: tuple[int, ...] = (),
) -> Observed:
    """Run a market through the features and keep the truth of every tick.

    Parameters
    ----------
    parameters : OrderFlowParameters
    seed : int
    duration_s : float
    feature_params : FeatureParams, optional
    hmm : GaussianHmm, optional
        Of the returns of bars; fills `hmm_turbulent`.
    leave_out : tuple of int
        Kinds of events the venue is taken not to publish.

    Returns
    -------
    Observed

    """
    chosen = feature_params or FeatureParams()
    params = params_record(chosen, hmm)
    room = int(duration_s * 1e9) // chosen.tick_ns + 2
    features, times = np.empty((room, len(FEATURE_NAMES))), np.empty(room, np.int64)
    labels: NDArray[np.void] = np.zeros(room, LABEL)
    markets, books = new_markets(1), new_books([parameters.tick_size])
    vector = feature_view(markets)[0]
    latest: NDArray[np.void] = np.zeros(1, LABEL)
    episodes: list[NDArray[np.void]] = [np.zeros(0, EPISODE)]
    taken = events = 0
    for chunk in stream_order_flow(parameters, seed, duration_s):
        public = chunk.events[~np.isin(chunk.events["kind"], leave_out)] if leave_out else chunk.events
        ticks = run(markets[0], books[0], public, params, vector, features[taken:], times[taken:])
        known = np.concatenate([latest, chunk.labels])
        before = np.searchsorted(chunk.events["local_ts"], times[taken : taken + ticks], side="left")
        labels[taken : taken + ticks] = known[before]
        latest = known[-1:]
        episodes.append(chunk.episodes)
        taken += ticks
        events += len(chunk.events)
    return Observed(times[:taken], features[:taken], labels[:taken], np.concatenate(episodes), events)
