"""What all strategies in shadow cost: seconds of CPU over seconds of market, on ten symbols, a tick every 250 ms.

Each symbol has a market of its own (`models.simulation.order_flow`), its events handed over four times a second as the executor
does; the features of the bank's own market record are in the cost. The events are made before the clock starts.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from hean_live.shadow.bank import SymbolBank
from hean_live.shadow.contracts import ShadowContract
from models.market.tape import EVENT
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.bank.steps import NAMES
from models.simulation.order_flow.scenarios import everything

SYMBOLS = 10
STEP_NS = 250_000_000
WARM_S = 60.0


def _tape(seed: int, seconds: float) -> Any:
    stretches = stream_synthetic_tape(everything(), seed, seconds)
    return np.concatenate([stretch.events.view(np.uint8) for stretch in stretches]).view(EVENT)


def shadow_share(seconds: float) -> dict[str, Any]:
    """Measure over `seconds` of market after a minute's warming up.

    Returns
    -------
    dict
        ``shadow_core_share``, and how it was measured.

    """
    tapes = [_tape(seed, WARM_S + seconds) for seed in range(SYMBOLS)]
    contract = ShadowContract(0.5, 0.001, 0.0002, 0.00055, 3.0)
    banks = [SymbolBank(f"S{place}", contract, 10_000.0) for place in range(SYMBOLS)]
    start_ns = min(int(tape["local_ts"][0]) for tape in tapes)
    edges = np.arange(start_ns, start_ns + int((WARM_S + seconds) * 1e9) + STEP_NS, STEP_NS)
    places = [np.searchsorted(tape["local_ts"], edges) for tape in tapes]
    warm = int(WARM_S * 1e9 / STEP_NS)
    cpu = 0.0
    events = trips = 0
    for step in range(len(edges) - 1):
        begun = time.process_time()
        for bank, tape, cuts in zip(banks, tapes, places, strict=True):
            rows = tape[cuts[step] : cuts[step + 1]]
            if len(rows):
                trips += len(bank.take(rows)[1])
                events += len(rows) * (step >= warm)
        if step >= warm:
            cpu += time.process_time() - begun
    return {
        "shadow_core_share": round(cpu / seconds, 5),
        "shadow_symbols": SYMBOLS,
        "shadow_strategies": len(NAMES),
        "shadow_ticks_per_s": 1e9 / STEP_NS,
        "shadow_events_per_s": round(events / seconds),
        "shadow_round_trips": trips,
        "shadow_market_s": seconds,
    }
