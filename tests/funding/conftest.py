"""Tables that several tests of the funding models share; computed once."""

from __future__ import annotations

import pytest

from models.funding.inputs import FundingInputs
from models.funding.table import FeatureTable, build_table
from tests.funding.make_inputs import make_inputs


@pytest.fixture(scope="session")
def histories() -> list[FundingInputs]:
    return [
        make_inputs("AAAUSDT", seed=1, schedule=((84.0, 8),)),
        make_inputs("BBBUSDT", seed=2, schedule=((60.0, 8), (24.0, 4)), offset=-3e-5),
    ]


@pytest.fixture(scope="session")
def table(histories: list[FundingInputs]) -> FeatureTable:
    return build_table(histories)
