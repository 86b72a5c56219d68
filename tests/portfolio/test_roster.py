from __future__ import annotations

import pytest

from models.errors import ConfigError
from models.portfolio.roster import STRATEGIES, Kind, kind_of, place_of


def test_nineteen_names_in_the_order_of_their_rows() -> None:
    assert len(STRATEGIES) == 19
    assert [place_of(name) for name in STRATEGIES] == list(range(19))
    assert STRATEGIES[:2] == ("funding_pressure", "funding_harvester")
    assert STRATEGIES[-1] == "synthetic_convexity"
    assert kind_of("inventory_neutral_mm") is Kind.MARKET_MAKING


def test_other_names_are_errors() -> None:
    for ask in (place_of, kind_of):
        with pytest.raises(ConfigError, match="was 'S1'"):
            ask("S1")
