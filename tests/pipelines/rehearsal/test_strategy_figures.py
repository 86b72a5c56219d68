"""Figures of strategies, policies and of the kill switch, from a real journal and a real policy."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from hean_live.execution.journal import Journal
from hean_live.execution.records import FILLED, OrderRow, TradeRow
from hean_pipelines.demo.children import Children
from hean_pipelines.rehearsal.executor import Executor
from hean_pipelines.rehearsal.strategies import by_strategy, of_the_bank, policies, table
from models.portfolio.policy import FILE, Policy, Reason, StrategyPolicy, to_text

NS = 1_000_000_000
HOUR_NS = 3600 * NS
BEGAN = 1_748_764_800 * NS


def signal(why: str, regime: str, *blocked: str) -> dict[str, Any]:
    gates = {name: {"reason": "BLOCKED"} for name in blocked} | {"pace": {"reason": "PASS"}}
    return {"at_ns": BEGAN, "not_traded": why, "rotation": regime, "gates": gates}


def trade(name: str, mode: str, net_usd: float) -> TradeRow:
    return TradeRow(
        trade_id=name, strategy="S5", symbol="BTCUSDT", regime="", mode=mode, side=1, qty=Decimal(1),
        entry_ns=BEGAN, entry_price=Decimal(100), exit_ns=BEGAN + NS, exit_price=Decimal(101), fees_usd=0.1,
        funding_usd=0.0, pnl_usd=net_usd, pnl_bps=100.0 * net_usd, predicted=0.0, realised_rate=None, model_version="",
    )  # fmt: skip


def test_each_strategy_has_its_figures(tmp_path: Path) -> None:
    assert by_strategy(tmp_path)["S5 impact_reversion"]["signals"] == 0
    assert of_the_bank(tmp_path)["signal_age_s"] is None
    live = StrategyPolicy("live", (Reason("PINNED_LIVE", "a rehearsal"),), 0.05)
    policy = Policy(
        made_at_ns=BEGAN, expires_ns=BEGAN + HOUR_NS, strategies={"impact_reversion": live}, is_rehearsal=True
    )
    folder = tmp_path / "bundles" / "hean-policy" / "3"
    folder.mkdir(parents=True)
    (folder / FILE).write_text(to_text(policy))
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.stamp(BEGAN + 4 * NS, 1)
        journal.event("reload", {"name": "hean-policy", "from": "", "to": "3"})
        journal.event(
            "bank_signal", signal("COSTS", "RANGE", "costs", "rotator"), strategy="S5", symbol="BTCUSDT"
        )
        journal.event("bank_signal", signal("", "RANGE"), strategy="S5", symbol="BTCUSDT")
        journal.stamp(BEGAN + 8 * NS, 1)
        journal.event(
            "bank_signal", signal("COSTS", "IMPULSE_MARKUP", "costs"), strategy="S5", symbol="BTCUSDT"
        )
        journal.event("signal", {}, strategy="S1", symbol="BTCUSDT")
        journal.event("block", {"reason": "EVIDENCE"}, strategy="S1", symbol="BTCUSDT")
        for kept in (trade("a", "shadow", -0.2), trade("b", "shadow", 0.4), trade("c", "live", 1.0)):
            journal.add_trade(kept)
    rows = by_strategy(tmp_path)
    assert len(rows) == 19
    own = rows["S5 impact_reversion"]
    assert (own["state"], own["why"], own["share"]) == ("live", "PINNED_LIVE", 0.05)
    assert (own["signals"], own["taken"], own["not_traded"]) == (3, 1, {"COSTS": 2})
    assert own["gates"] == {"costs": 2, "rotator": 1}
    assert own["shadow"] == {"trades": 2, "net_usd": 0.2, "net_bps": 10.0}
    assert own["live"]["trades"] == 1
    assert rows["S1 funding_pressure"]["not_traded"] == {"EVIDENCE": 1}
    assert rows["S1 funding_pressure"]["state"] == "own road"
    assert table(rows).row_count == 19
    (seen,) = policies(tmp_path)
    assert (seen["version"], seen["from"], seen["is_rehearsal"]) == ("3", "2025-06-01 08:00", True)
    assert seen["live"] == ["impact_reversion"]
    found = of_the_bank(tmp_path)
    assert found["rotations"] == {"BTCUSDT": 1}
    assert found["regimes"] == {"RANGE": 2, "IMPULSE_MARKUP": 1}
    assert found["signal_age_s"] == {"median": 4.0, "95 %": 4.0, "most": 8.0}


def test_what_the_kill_switch_closed_is_what_exits_after_it_filled(tmp_path: Path) -> None:
    def order(name: str, side: int, leg: str, created_ns: int) -> OrderRow:
        return OrderRow(
            client_id=name, strategy="S1", symbol="BTCUSDT", side=side, order_type="market", qty=Decimal(2), price=None,
            reduce_only=leg == "exit", leg=leg, decision_ns=BEGAN, state=FILLED, filled_qty=Decimal(2), avg_price=Decimal(100),
            created_ns=created_ns,
        )  # fmt: skip

    executor = Executor(tmp_path, Children(tmp_path / "logs", {}), lambda _words: None)
    assert executor.held() == {}
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.stamp(BEGAN, 1)
        for row in (
            order("a", 1, "entry", BEGAN),
            order("b", -1, "exit", BEGAN),
            order("c", 1, "entry", BEGAN),
        ):
            journal.put_order(row)
        assert executor.held() == {"BTCUSDT": 2.0}
        journal.stamp(BEGAN + NS, 1)
        journal.event("kill_switch", {"state": "tripped", "reason": "the file"})
        tripped = executor.newest_event("kill_switch")
        assert executor.closed_since(tripped) == {}
        journal.put_order(order("d", -1, "exit", BEGAN + 2 * NS))
    assert executor.held() == {}
    assert executor.closed_since(tripped) == {"BTCUSDT": -2.0}
    assert executor.entries() == 2
