"""A small account at its first start: what it cannot size is refused with the whole arithmetic, over loopback."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.live.conftest import BEFORE_MS, DAYS, SETTLEMENT_MS
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.local_testnet.server import start_testnet


def test_three_hundred_dollars_are_refused_what_they_cannot_size(tmp_path: Path) -> None:
    with start_testnet(("BTCUSDT",), days=DAYS, now_ms=BEFORE_MS, equity="300") as testnet:
        settings = local_settings(tmp_path, testnet)
        cache_bundle(settings, funding_bundle(constant_predictor(0.002)))
        runner = make_runner(settings)
        runner.warm_up()
        journal = runner._parts.journal
        testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
        poll_until(runner, lambda: journal.count("events", "kind = 'block'") > 0)
        block = journal.events("block")[0]
        instrument = runner._parts.instruments["BTCUSDT"]
        smallest_usd = instrument.min_order_qty * runner._parts.feed.quotes["BTCUSDT"].bid
        # 3 % of the equity at a leverage of 3: what one trade may be at most.
        assert Decimal("0.03") * 300 * 3 < smallest_usd
        assert block["reason"] == "SIZER_ZERO"
        for part in ("300", "smallest tradable lot", str(instrument.min_order_qty)):
            assert part in block["arithmetic"], part
        assert journal.count("orders", "1 = 1") == 0
        # It goes on in shadow.
        assert journal.events("shadow_open")
        runner.shut_down("the test ends")
