"""Light synthetic markets with and without a planted precursor, sampled and labelled once for all tests."""

from __future__ import annotations

from functools import cache

from models.cascade.labels import CascadeTable, label_samples
from models.cascade.observe import CascadeFollower, CascadeTape
from models.simulation.order_flow.generator import stream_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.simulation.order_flow.scenarios import crowded_cascades

EVERY_NS = 30_000_000_000


def light(crowding: float) -> OrderFlowParameters:
    return crowded_cascades()._replace(
        cascade_crowding=crowding,
        cascades_per_hour=4.0,
        cascade_orders=30.0,
        book_updates=2.0,
        refreshed_levels=1,
        levels=8,
        background_rate=0.5,
    )


@cache
def tape_of(crowding: float, seed: int, hours: float) -> CascadeTape:
    parameters = light(crowding)
    follower = CascadeFollower(parameters.tick_size, EVERY_NS)
    for chunk in stream_order_flow(parameters, seed, 3600.0 * hours):
        follower.take(chunk.events)
    return follower.tape()


@cache
def table_of(crowding: float, seed: int, hours: float) -> CascadeTable:
    return label_samples(tape_of(crowding, seed, hours))
