from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import stats

from models.portfolio.chance import normal, uniform


def test_a_draw_is_the_hash_it_says() -> None:
    digest = hashlib.blake2b(b"7\x1f123\x1fa\x1fb", digest_size=8).digest()
    assert uniform(7, 123, "a", "b") == ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53
    assert uniform(7, 123, "a", "b") == uniform(7, 123, "a", "b")


def test_seed_time_and_names_all_count() -> None:
    draws = {uniform(s, t, *names) for s in (0, 1) for t in (0, 1) for names in (("a",), ("b",), ("a", "b"))}
    assert len(draws) == 12
    assert uniform(1, 23, "a") != uniform(12, 3, "a")


@pytest.mark.parametrize(("draw", "law"), [(uniform, "uniform"), (normal, "norm")])
def test_draws_follow_their_law(draw, law: str) -> None:
    values = np.array([draw(0, i, "impulse_engine") for i in range(5000)])
    assert stats.kstest(values, law).pvalue > 0.01
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.05
