"""The survive benchmark's own parts: a trader that is killed and comes back, and shares that add up."""

from benchmarks.survive_kills import survive_kills
from benchmarks.survive_shards import shares


def test_a_killed_trader_comes_back_to_whole_books():
    found = survive_kills(3)
    assert found["died"] == []
    assert (found["kills"], found["doubled"], found["lost"], found["orphaned"]) == (3, 0, 0, 0)
    assert found["journal_readable"]
    assert found["venue_orders"] > 0


def test_shares_add_up():
    assert sum(shares(1_000_003, 62_500)) == 1_000_003
    assert max(shares(1_000_003, 62_500)) <= 62_500
    assert all(shares(7, 62_500))
