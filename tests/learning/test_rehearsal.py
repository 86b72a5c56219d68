"""Ninety days against an adversary who chooses the fills: bounds hold, and everything finds its way back."""

from __future__ import annotations

import itertools

import pytest

from models.learning.rehearsal import ADVERSARIES, Course, World, rehearse
from models.portfolio.policy import from_text, to_text

WORLD = World()
BY_NAME = {adversary.name: adversary for adversary in ADVERSARIES}


def check_bounds(course: Course) -> None:
    assert len(course.policies) == 540
    for before, after in itertools.pairwise(course.policies):
        for name, symbol in after.symbols.items():
            moved = symbol.slippage_buffer_bps - before.symbol(name).slippage_buffer_bps
            assert -1.0 - 1e-9 <= moved <= 2.0 + 1e-9
            assert 0.0 <= symbol.slippage_buffer_bps <= 20.0
            assert symbol.probation in (0.2, 1.0)
        for name, strategy in after.strategies.items():
            if strategy.state == "live":
                assert abs(strategy.share - before.strategy(name).share) <= 0.05 + 1e-9
            assert 0.0 <= strategy.share <= 0.4 + 1e-9
        assert sum(each.share for each in after.strategies.values()) <= 0.8 + 1e-9
    assert from_text(to_text(course.policies[-1])) == course.policies[-1]


@pytest.fixture(scope="module")
def quiet() -> Course:
    return rehearse(BY_NAME["nobody"])


def test_without_an_adversary_the_loops_keep_still(quiet: Course) -> None:
    check_bounds(quiet)
    assert max(quiet.largest_buffer_bps()) <= 2.0
    assert max(quiet.on_probation()) == 0
    assert quiet.live()[-1] == 3


@pytest.mark.parametrize("name", ["paper fills 10 bps better", "ruin of one symbol's live fills", "ruin"])
def test_an_adversary_pushes_to_the_fence_and_not_beyond(name: str) -> None:
    course = rehearse(BY_NAME[name])
    check_bounds(course)
    attack = slice(WORLD.attack_from, WORLD.attack_to)
    pushed = max(course.largest_buffer_bps()[attack]) >= 10.0 or max(course.on_probation()[attack]) > 0
    assert pushed
    assert course.largest_buffer_bps()[-1] <= 2.0
    assert course.on_probation()[-1] == 0
    assert course.live()[-1] == 3


def test_ruin_ends_trading() -> None:
    course = rehearse(BY_NAME["ruin"], World(loops=WORLD.attack_from + 30))
    assert course.live()[-1] == 0
    assert course.largest_share()[-1] == 0.0
