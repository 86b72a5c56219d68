"""The catalogue: complete, in the order of the bank, and searched by people."""

from __future__ import annotations

import doctest
from importlib import import_module
from pkgutil import iter_modules

import pytest

import models.strategies
from models.errors import ConfigError
from models.simulation.bank.steps import NAMES
from models.strategies import catalogue
from models.strategies.catalogue import CATALOGUE, entry_of, parse_params
from tests.support import ROOT


def test_every_entry_is_whole():
    for entry in CATALOGUE.values():
        assert parse_params(entry, {}) == entry.params()
        state = entry.new_state()
        assert state.dtype == entry.state
        assert (state.position, state.open_orders) == (0.0, 0)
        assert ("leg_wanted" in entry.state.names) == (entry.leg != "none")
        assert 0 in entry.reasons


def test_bank_and_catalogue_have_the_same_order():
    assert tuple(CATALOGUE) == NAMES
    assert [int(entry.system[1:]) for entry in CATALOGUE.values()] == sorted(
        int(entry.system[1:]) for entry in CATALOGUE.values()
    )


def test_no_state_begins_with_all_of_another():
    # Numba takes a record whose fields begin another's for a kind of it, and would reuse code compiled for the wrong one.
    modules = [import_module(f"models.strategies.{m.name}") for m in iter_modules(models.strategies.__path__)]
    fields = {
        module.__name__: [(field, module.STATE.fields[field][0]) for field in module.STATE.names]
        for module in modules
        if hasattr(module, "STATE")
    }
    assert len(fields) > len(CATALOGUE)
    for one, short in fields.items():
        for other, long in fields.items():
            assert one == other or long[: len(short)] != short, f"{other} begins with all of {one}"


def test_every_strategy_has_a_page_and_a_test():
    for name in CATALOGUE:
        assert (ROOT / "docs" / "strategies" / f"{name}.md").is_file(), name
        assert (ROOT / "tests" / "strategies" / f"test_{name}.py").is_file(), name


def test_a_strategy_is_found_by_name_and_by_id():
    assert entry_of("impact_reversion") is entry_of("S5") is entry_of("s5")


def test_an_unknown_strategy_names_all_and_the_nearest():
    with pytest.raises(
        ConfigError, match=r"impact_reversion, forced_flow_exhaustion.*'impct_reversion'"
    ) as e:
        entry_of("impct_reversion")
    assert "did you mean impact_reversion?" in e.value.remedy


def test_parameters_keep_the_kind_of_their_default():
    params = parse_params(entry_of("S5"), {"least_impact_bps": "3", "time_out_ns": "8_000_000_000"})
    assert isinstance(params.least_impact_bps, float)
    assert params.time_out_ns == 8_000_000_000


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("time_out_ns", "0.5", "time_out_ns to be a whole number, was '0.5'"),
        ("stop_share", "much", "stop_share to be a number, was 'much'"),
        ("stop_share", "nan", "stop_share to be a number, was 'nan'"),
        ("stop_shre", "1", "expected a parameter among .*stop_share.*, was 'stop_shre'"),
        ("capital_share", "0.5", "capital_share from"),
    ],
)
def test_a_parameter_of_the_wrong_kind_or_size_is_refused(name, text, words):
    with pytest.raises(ConfigError, match=words):
        parse_params(entry_of("S5"), {name: text})


def test_the_example_holds():
    assert doctest.testmod(catalogue).failed == 0
