"""The policy in the executor: what is refused, what expires, and a veto that works at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hean_live.app.policy import EVERYTHING, PolicyView, Vetoes, load_policy, policy_view
from models.bundle import build_bundle
from models.errors import BundleError
from models.learning.instructions import Instruction, instructions_text
from models.portfolio.policy import FILE, Policy, Reason, StrategyPolicy, SymbolPolicy, to_text

HOUR_NS = 3_600_000_000_000
NOW_NS = 1_000 * HOUR_NS
POLICY = Policy(
    made_at_ns=NOW_NS,
    expires_ns=NOW_NS + 24 * HOUR_NS,
    strategies={
        "funding_pressure": StrategyPolicy("live", (Reason("PROMOTED"),), 0.25),
        "sentiment": StrategyPolicy("shadow", (Reason("NO_EVIDENCE", "study sentiment has not been made"),)),
        "hf_scalping": StrategyPolicy("off", (Reason("PINNED_OFF"),)),
    },
    symbols={"BTCUSDT": SymbolPolicy(4.0, probation=0.2)},
)


def bundle(text: str | None = None, **changes: Any) -> dict[str, bytes]:
    fields: dict[str, Any] = {
        "name": "hean-policy",
        "kind": "policy",
        "feature_spec_hash": "",
        "trained_through_ns": NOW_NS,
        "expires_at_ns": POLICY.expires_ns,
        "code_version": "test",
        "data_version": "test",
    }
    return build_bundle({FILE: (text or to_text(POLICY)).encode()}, **{**fields, **changes})


def view(
    policy: Policy | None = POLICY, now_ns: int = NOW_NS, environment: str = "testnet", **vetoes: str
) -> PolicyView:
    return policy_view(policy, "7", now_ns, environment, vetoes)


def word(found: PolicyView, strategy: str = "funding_pressure") -> str:
    breach = found.breach(strategy)
    return breach.reason if breach else ""


def test_a_sound_bundle_is_read() -> None:
    assert load_policy(bundle()) == POLICY


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({**bundle(), FILE: b"{}"}, "SHA-256"),
        (bundle(kind="regime_matrix"), "kind should be policy"),
        (bundle(expires_at_ns=POLICY.expires_ns + 1), "as its manifest says"),
        (bundle(to_text(POLICY).replace("0.25", "0.35")), "SHA-256"),
        (bundle("{}"), "schema should be 1"),
    ],
)
def test_a_bundle_that_is_wrong_is_refused(contents: dict[str, bytes], words: str) -> None:
    with pytest.raises(BundleError, match=words):
        load_policy(contents)


def test_what_it_says() -> None:
    found = view()
    assert word(found) == ""
    assert word(found, "S1") == ""  # by its id too
    assert found.share("funding_pressure") == 0.25
    assert word(found, "sentiment") == "NOT_PROMOTED"
    assert "study sentiment has not been made" in str(found.breach("sentiment"))
    assert word(found, "impulse_engine") == "NOT_PROMOTED"
    assert found.share("sentiment") == 0.0
    assert (found.is_off("hf_scalping"), found.is_off("sentiment")) == (True, False)
    assert (found.slippage_buffer_bps("BTCUSDT"), found.size_factor("BTCUSDT")) == (4.0, 0.2)
    assert (found.slippage_buffer_bps("ETHUSDT"), found.size_factor("ETHUSDT")) == (0.0, 1.0)


def test_without_a_policy_everything_shadows() -> None:
    assert word(view(None)) == "NO_POLICY"
    assert view(None).share("funding_pressure") == 0.0
    assert not view(None).is_off("funding_pressure")


def test_an_expired_policy_shadows_and_stays_careful() -> None:
    late = view(now_ns=POLICY.expires_ns)
    assert word(view(now_ns=POLICY.expires_ns - 1)) == ""
    assert word(late) == "POLICY_EXPIRED"
    assert late.share("funding_pressure") == 0.0
    assert (late.slippage_buffer_bps("BTCUSDT"), late.size_factor("BTCUSDT")) == (4.0, 0.2)


def test_a_policy_of_the_future_shadows() -> None:
    assert word(view(now_ns=NOW_NS - HOUR_NS)) == ""
    assert word(view(now_ns=NOW_NS - HOUR_NS - 1)) == "POLICY_AHEAD"


def test_a_rehearsal_is_good_for_the_local_testnet_only() -> None:
    made_up = replace(POLICY, is_rehearsal=True)
    assert word(view(made_up)) == "POLICY_REHEARSAL"
    assert word(view(made_up, environment="local")) == ""


def test_vetoes_stand_above_everything() -> None:
    assert word(view(funding_pressure="fees")) == "VETOED"
    assert word(view(sentiment="fees")) == ""
    assert word(policy_view(POLICY, "7", NOW_NS, "testnet", {EVERYTHING: "damaged"})) == "VETOED"
    assert word(policy_view(None, "", NOW_NS, "testnet", {"funding_pressure": "x"})) == "VETOED"


def test_a_veto_works_at_the_next_poll_and_ends_with_its_file(tmp_path: Path) -> None:
    vetoes = Vetoes(tmp_path)
    assert vetoes.read() == {}
    path = tmp_path / "strategies.json"
    veto, pin = Instruction("veto", "shadow", "fees", 5), Instruction("pin", "shadow", "x", 5)
    path.write_text(instructions_text({"sentiment": veto, "hf_scalping": pin}))
    assert vetoes.read() == {"sentiment": "fees"}
    beside = tmp_path / "new"
    beside.write_text(instructions_text({"funding_pressure": replace(veto, reason="why")}))
    os.replace(beside, path)
    assert vetoes.read() == {"funding_pressure": "why"}
    path.unlink()
    assert vetoes.read() == {}


def test_a_damaged_file_vetoes_everything_until_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "strategies.json"
    path.write_text("{")
    vetoes = Vetoes(tmp_path)
    assert list(vetoes.read()) == [EVERYTHING]
    path.write_text(instructions_text({}))
    assert vetoes.read() == {}


def test_a_folder_in_its_place_vetoes_everything(tmp_path: Path) -> None:
    (tmp_path / "strategies.json").mkdir()
    assert list(Vetoes(tmp_path).read()) == [EVERYTHING]
