"""A turn of the learning loops, from marts to a policy in the registry that the executor reads."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from hean_pipelines.defs.learning.definitions import learning_selection
from hean_pipelines.defs.learning.inputs import present_policy, product
from hean_pipelines.defs.learning.policy import policy_definitions
from hean_pipelines.resources.registry import Registry
from models.bundle import verify_bundle
from models.errors import ConfigError, DataError
from models.portfolio.policy import FILE, from_text
from tests.pipelines.learning.marts import DAY_NS, LOCAL, NOW_NS, rows, settings_of, turn, write_marts

RNG = np.random.default_rng(1)
MARKET = RNG.normal(6.0, 15.0, 400)


def test_a_cold_start_makes_a_policy_that_shadows_everything(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings)
    metadata = turn(settings)
    found = present_policy(Registry.from_settings(settings))
    assert found.version == 1
    assert found.policy is not None
    assert found.policy.reasons[0].word == "COLD_START"
    assert {each.state for each in found.policy.strategies.values()} == {"shadow"}
    assert found.policy.made_at_ns == NOW_NS
    assert found.policy.matrix_version == ""
    assert "COLD_START" in metadata["model_hean__policy"]["why"]
    for name, shown in metadata.items():
        if name != "model_hean__regime_matrix":
            assert name == "model_hean__strategy_promotion" or "data:image/png" in shown["picture"], name


def test_without_a_journal_our_own_clock_is_asked(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings, now_ns=0)
    turn(settings)
    found = present_policy(Registry.from_settings(settings)).policy
    assert found is not None
    assert found.made_at_ns > NOW_NS


def test_what_the_trades_say_is_in_the_policy(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    fills = MARKET - 6.0 + RNG.normal(0.0, 1.0, 400)
    blocked = rows(RNG.normal(-5.0, 4.0, 100), blocked_by="VPIN")
    write_marts(settings, rows(MARKET), rows(fills, "live"), blocked)
    metadata = turn(settings)
    registry = Registry.from_settings(settings)
    first = present_policy(registry).policy
    assert first is not None
    assert first.symbols["BTCUSDT"].slippage_buffer_bps == 2.0
    assert first.gates["VPIN"].verdict == "saves money"
    assert first.matrix_version == "1"
    assert "impact_reversion | BTCUSDT" in metadata["model_hean__shadow_against_live"]["table"]
    assert "NO_EVIDENCE" in {r.word for r in first.strategies["impact_reversion"].reasons}
    turn(settings)  # the same trades again: they do not raise it twice
    second = present_policy(registry).policy
    assert second is not None
    assert (second.number, second.previous) == (2, first.digest)
    assert second.symbols["BTCUSDT"].slippage_buffer_bps == 2.0
    files = registry.download_bundle("hean-policy", 2)
    manifest = verify_bundle(files)
    assert (manifest.kind, manifest.expires_at_ns) == ("policy", second.expires_ns)
    assert from_text(files[FILE].decode()) == second


def test_findings_for_another_policy_are_refused(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    products = write_marts(settings)
    turn(settings)
    registry = Registry.from_settings(settings)
    path = product(products, "slippage")
    body = json.loads(path.read_text())
    assert body["policy"] == ""  # made for the cold start, and a policy is in force now
    alone = list(policy_definitions(settings, registry).assets or [])
    with pytest.raises(DataError, match="policy in force"):
        dg.materialize(alone)
    path.unlink()
    with pytest.raises(DataError, match="does not exist yet"):
        dg.materialize(alone)
    assert registry.alias_version("hean-policy", "champion") == 1


def test_a_person_holds_an_older_policy_and_lets_go(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings)
    registry = Registry.from_settings(settings)
    for _ in range(2):
        turn(settings)
    held = registry.download_bundle("hean-policy", 1)
    registry.set_alias("hean-policy", "champion", 1)
    metadata = turn(settings)["model_hean__policy"]
    assert (metadata["in_force"], metadata["version"], metadata["held_by_a_person"]) == (1, 3, True)
    assert registry.alias_version("hean-policy", "champion") == 1
    third = from_text(registry.download_bundle("hean-policy", 3)[FILE].decode())
    assert third.previous == from_text(held[FILE].decode()).digest  # one step from what is held
    registry.set_alias("hean-policy", "champion", 3)
    assert turn(settings)["model_hean__policy"]["in_force"] == 4


def test_a_policy_that_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings)
    registry = Registry.from_settings(settings)
    with registry.start_run("hean-policy", "damaged", data_version="x", code_version="x") as run:
        version = registry.log_bundle("hean-policy", {FILE: b"{}"}, run_id=run.run_id)
    registry.set_alias("hean-policy", "champion", version)
    assert "cannot be read" in present_policy(registry).words
    turn(settings)
    found = present_policy(registry)
    assert found.version == 2
    assert found.policy is not None
    assert found.policy.number == 1


def rehearsal(settings: object, products: object) -> None:
    """Studies and a backtest on synthetic markets that speak for impact_reversion."""
    from hean_pipelines.defs.promotion.facts import parameters_in_force

    for study in ("E5", "E7", "S5"):
        body = {"study": study, "verdict": "passed", "reason": "", "market": {"kind": "synthetic"}}
        products.write_json(products.study(study), body)  # type: ignore[attr-defined]
    returns = np.random.default_rng(3).normal(0.004, 0.004, 40)
    document = {
        "plan": {
            "strategy": "impact_reversion",
            "market": "synthetic",
            "capital_usd": 500.0,
            "parameters": parameters_in_force("impact_reversion"),
        },
        "tape": {"days": 40.0},
        "figures": {"trades": 300, "net_bps": {"value": 3.0, "low": 1.0, "high": 5.0, "n": 300}},
        "periods": {"period_ns": DAY_NS, "rows": [{"net_usd": 500.0 * value} for value in returns]},
    }
    folder = settings.home / "backtests" / "one"  # type: ignore[attr-defined]
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(document))


def test_a_rehearsal_promotes_on_synthetic_evidence_where_it_may(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, venue_url=LOCAL)
    products = write_marts(settings, rows(MARKET))
    rehearsal(settings, products)
    turn(settings)
    registry = Registry.from_settings(settings)
    strict = present_policy(registry).policy
    assert strict is not None
    words = [reason.word for reason in strict.strategies["impact_reversion"].reasons]
    assert words == [*3 * ["EVIDENCE_SYNTHETIC"], "BACKTEST_SYNTHETIC"]
    turn(settings, allow_synthetic_evidence=True)
    allowed = present_policy(registry).policy
    assert allowed is not None
    assert allowed.is_rehearsal
    assert (allowed.strategies["impact_reversion"].state, allowed.strategies["impact_reversion"].share) == (
        "live",
        0.05,
    )


def test_synthetic_evidence_is_refused_for_another_venue(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_marts(settings)
    with pytest.raises(ConfigError, match="local testnet only"):
        turn(settings, allow_synthetic_evidence=True)
    assert Registry.from_settings(settings).alias_version("hean-policy", "champion") is None


def test_a_turn_asks_no_venue_and_retrains_nothing(tmp_path: Path) -> None:
    from hean_pipelines.build import build_definitions
    from hean_pipelines.defs.learning.definitions import learning_definitions

    settings = settings_of(tmp_path)
    learned = learning_definitions(settings, Registry.from_settings(settings))
    whole = build_definitions(settings)
    known = {key.to_user_string() for key in whole.resolve_asset_graph().get_all_asset_keys()}
    if "model_hean__policy" not in known:
        whole = dg.Definitions.merge(whole, learned)
    chosen = {key.to_user_string() for key in learning_selection().resolve(whole.resolve_asset_graph())}
    assert {
        "raw_hean__events",
        "model_hean__policy",
        "evidence_hean__regime_claim",
        "model_hean__regime_matrix",
    } <= chosen
    assert {name for name in chosen if name.startswith("raw_")} <= {
        n for n in known if n.startswith("raw_hean__")
    }
    assert not {name for name in chosen if name.startswith(("feat_", "forecast_", "model_funding"))}
