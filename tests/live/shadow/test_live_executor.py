"""The whole executor with shadows over loopback, from a cold start: order flow, streams, every strategy, a restart, the replay.

There is no history, no model and no policy: it starts all the same, shadows, and says so.
"""

from __future__ import annotations

from pathlib import Path

from hean_live.app.policy import policy_view
from hean_live.app.runner import STATE_KEY
from hean_live.replay.replay import replay
from hean_live.replay.session import find_segments
from models.gates.memory import dump_bank
from models.learning.roster import STRATEGIES
from tests.live.shadow.lives import SPEED, Lives, at_work, count, poll_until
from tests.local_testnet.server import RunningTestnet

TRIPS = "SELECT count(*) FROM trades WHERE mode = 'shadow'"
SIGNALS = "SELECT count(*) FROM events WHERE kind = 'bank_signal'"


def test_a_cold_start_shadows_remembers_and_replays(
    lives: Lives, testnet: RunningTestnet, tmp_path: Path
) -> None:
    first = lives.start()
    testnet.clock(speed=1.0)
    poll_until(first, at_work(first))
    testnet.clock(speed=SPEED)
    poll_until(first, lambda: count(first, SIGNALS) >= 1 and count(first, TRIPS) >= 1)
    journal = first._parts.journal
    said = journal.events("bank_signal")[0]
    # Cold: no policy is loaded, every strategy shadows, and each signal says so with all the other gates.
    assert said["gates"]["standing"]["reason"] == "SHADOW_ONLY"
    # BTC at some 95 000 USD: with the 10 000 USD set, half a percent would be half a lot.
    capital = journal.events("shadow_capital")[0]
    assert capital["capital_usd"] == 50_000.0
    assert "instead of 10,000 as set" in capital["words"]
    assert "none is loaded" in said["gates"]["standing"]["words"]
    assert len(said["gates"]) == 13
    assert journal.events("model_state")[0]["refusals"][0][0] == "NO_BUNDLE"
    assert said["not_traded"]
    nothing = policy_view(None, "", 0, "local", {})
    assert all(nothing.breach(name) is not None for name in STRATEGIES)
    assert count(first, "SELECT count(*) FROM orders") == 0
    assert count(first, "SELECT count(*) FROM trades WHERE mode = 'live'") == 0

    remembered = dump_bank(first._parts.engine._work.bank)
    saved = journal.meta(STATE_KEY)
    trades = journal._db.execute("SELECT trade_id FROM trades ORDER BY trade_id").fetchall()
    assert remembered["regimes"]
    lives.stop()

    testnet.clock(speed=1.0)
    second = lives.start()
    assert dump_bank(second._parts.engine._work.bank) == remembered
    assert second._parts.journal.meta(STATE_KEY) == saved
    poll_until(second, at_work(second))
    testnet.clock(speed=SPEED)
    poll_until(second, lambda: count(second, TRIPS) > len(trades))
    after = second._parts.journal._db.execute("SELECT trade_id FROM trades ORDER BY trade_id").fetchall()
    assert set(trades) < set(after)
    lives.stop()

    outcome = replay(find_segments(tmp_path))
    assert outcome.first is None
    assert outcome.lives == 2
    assert outcome.commands > 0
    assert outcome.shadows.polls > 0
    assert outcome.shadows.signals >= 1
    assert outcome.shadows.trips >= len(after)
