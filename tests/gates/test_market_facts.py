from __future__ import annotations

import math

from models.execution.market_gates import PriceHistory
from models.gates.hurst import HurstRules, hurst_gate
from models.gates.market_facts import market_facts
from models.market.features.hurst import NOISE, RANDOM, TRUE_TREND
from models.market.record import new_market
from tests.gates.facts import SIGHT, facts, fine


def test_an_empty_market_knows_nothing() -> None:
    found = market_facts(new_market(), SIGHT, PriceHistory())
    assert (found.hurst, found.hurst_finer) == ("", "")
    numbers = (
        found.vpin,
        found.kyle_lambda_z,
        found.flow_imbalance,
        found.whale_cvd_usd,
        found.whale_intensity,
        found.retail_imbalance,
    )
    assert all(math.isnan(number) for number in numbers)


def test_every_fact_comes_from_its_field() -> None:
    market = new_market()
    for place, name in enumerate(
        ("vpin", "kyle_lambda_z", "flow_imbalance", "whale_cvd", "whale_intensity", "retail_imbalance"),
        start=1,
    ):
        market[name] = place / 10
    market.hurst_label, market.hurst_label_finer = NOISE, RANDOM
    found = market_facts(market, SIGHT, PriceHistory())
    assert (found.vpin, found.kyle_lambda_z, found.flow_imbalance) == (0.1, 0.2, 0.3)
    assert (found.whale_cvd_usd, found.whale_intensity, found.retail_imbalance) == (0.4, 0.5, 0.6)
    assert (found.hurst, found.hurst_finer) == ("NOISE", "RANDOM")
    market.hurst_label_finer = TRUE_TREND
    trend = market_facts(market, SIGHT, PriceHistory())
    given = facts({"hurst": trend.hurst, "hurst_finer": trend.hurst_finer})
    assert hurst_gate(fine(), given, HurstRules()).multiplier == 1.0
