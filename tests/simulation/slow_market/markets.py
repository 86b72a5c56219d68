"""Whole slow markets for the tests."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.market.outlook import OUTLOOK
from models.market.tape import EVENT
from models.simulation.slow_market.generator import stream_labelled_market
from models.simulation.slow_market.state import EPISODE


class Whole(NamedTuple):
    events: np.ndarray
    outlooks: np.ndarray
    episodes: np.ndarray


def _join(parts, dtype):
    return np.concatenate([part.view(np.uint8) for part in parts]).view(dtype)


def whole(parameters, symbol="BTCUSDT", seed=1, days=1.0, chunk_events=1 << 18):
    stretches = list(stream_labelled_market(parameters, symbol, seed, days, chunk_events))
    return Whole(
        _join([stretch.events for stretch in stretches], EVENT),
        _join([stretch.outlooks for stretch in stretches], OUTLOOK),
        _join([stretch.episodes for stretch in stretches], EPISODE),
    )
