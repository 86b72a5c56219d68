"""The planted precursor of cascades: absent by default bit for bit, of the declared strength where it is planted."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from models.errors import ConfigError
from models.market.tape import PREMIUM
from models.simulation.order_flow.campaigns import crowding
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.simulation.order_flow.scenarios import cascades, crowded_cascades, everything

# Of the market before it could have a precursor.
BEFORE = {
    ("everything", 7): "d6564716d7ebc401",
    ("cascades", 1): "a388de6bedab1289",
}


def test_markets_without_it_are_what_they_were() -> None:
    for (name, seed), digest in BEFORE.items():
        made = {"everything": everything, "cascades": cascades}[name]()
        events = generate_order_flow(made, seed, 1800.0).events
        assert hashlib.sha256(events.tobytes()).hexdigest()[:16] == digest, name


@pytest.mark.parametrize("strength", [0.0, 0.7, 2.0])
def test_the_mean_rate_stays(strength: float) -> None:
    p = OrderFlowParameters(cascade_crowding=strength)

    def weighted(z: float) -> float:
        return crowding(p.premium_mean + z * p.premium_std, p) * float(stats.norm.pdf(z))

    edges = [-9.0, -3.0, 0.0, 3.0, 9.0]
    parts = [integrate.quad(weighted, a, b)[0] for a, b in itertools.pairwise(edges)]
    assert sum(parts) == pytest.approx(1.0, rel=1e-9)


def test_cascades_begin_when_the_premium_is_far_from_its_mean() -> None:
    p = crowded_cascades()._replace(
        book_updates=1.0, refreshed_levels=1, levels=6, background_rate=0.2, cascade_orders=10.0
    )
    sizes = {}
    for strength in (0.0, p.cascade_crowding):
        market = generate_order_flow(p._replace(cascade_crowding=strength), 3, 24 * 3600.0)
        begun = market.episodes["start_ns"]
        assert len(begun) > 40
        premium = market.events[market.events["kind"] == PREMIUM]
        at = np.searchsorted(premium["exch_ts"], begun, side="right") - 1
        z = np.abs(premium["price"][np.maximum(at, 0)] - p.premium_mean) / p.premium_std
        sizes[strength] = float(z.mean())
    assert sizes[0.0] == pytest.approx(np.sqrt(2 / np.pi), abs=0.3)
    assert sizes[p.cascade_crowding] > sizes[0.0] + 0.5


def test_out_of_range() -> None:
    for change in ({"cascade_crowding": -1.0}, {"cascade_crowding": 1.0, "premium_std": 0.0}):
        with pytest.raises(ConfigError, match=r"cascade_crowding|premium_std"):
            generate_order_flow(OrderFlowParameters(**change), 1, 1.0)
