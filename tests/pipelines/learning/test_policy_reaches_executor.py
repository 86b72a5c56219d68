"""The way of a policy: registered by the pipelines, fetched and read by the executor's own parts, back and forth."""

from __future__ import annotations

from pathlib import Path

from hean_live.app.policy import load_policy, policy_view
from hean_live.bundle.cache import BundleCache
from hean_live.bundle.fetch import FETCHED, UNCHANGED, fetch
from hean_pipelines.resources.registry import Registry
from tests.pipelines.learning.marts import NOW_NS, settings_of, turn, write_marts


def test_the_executor_follows_the_alias_forward_and_back(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings)
    turn(settings)
    turn(settings)
    cache = BundleCache(tmp_path / "bundles" / "hean-policy")

    def ask(have: str) -> dict[str, str]:
        return fetch(settings.tracking_uri, "hean-policy", "champion", cache, have)

    assert (ask("")["status"], ask("2")["status"]) == (FETCHED, UNCHANGED)
    second = load_policy(cache.read("2"))
    Registry.from_settings(settings).set_alias("hean-policy", "champion", 1)
    answer = ask("2")
    assert (answer["status"], answer["version"]) == (FETCHED, "1")
    first = load_policy(cache.read("1"))
    assert (first.number, second.number, second.previous) == (1, 2, first.digest)
    breach = policy_view(first, "1", NOW_NS, "testnet", {}).breach("funding_pressure")
    assert breach is not None
    assert breach.reason == "NOT_PROMOTED"
    assert "NO_EVIDENCE" in breach.arithmetic
