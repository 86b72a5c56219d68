"""A synthetic market written as a raw Bybit recording, as the venue and a recorder would have left it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hean_pipelines.backtest.markets import synthetic_market
from models.market.tape import DEPTH, END_OF_MESSAGE, SNAPSHOT, TRADE
from models.simulation.order_flow.generator import generate_order_flow


def _book(rows, symbol, kind, update):
    sides = {
        side: [[f"{r['price']:.4f}", f"{r['size']:.4f}"] for r in rows if r["side"] == side]
        for side in (1, -1)
    }
    data = {"s": symbol, "b": sides[1], "a": sides[-1], "u": update, "seq": update}
    return {
        "topic": f"orderbook.50.{symbol}",
        "type": kind,
        "ts": int(rows[0]["exch_ts"]) // 1_000_000,
        "data": data,
    }


def _trades(rows, symbol, number):
    data = [
        {
            "T": int(r["exch_ts"]) // 1_000_000,
            "s": symbol,
            "S": "Buy" if r["side"] > 0 else "Sell",
            "v": f"{r['size']:.4f}",
            "p": f"{r['price']:.4f}",
            "i": f"{number}-{k}",
            "BT": False,
        }
        for k, r in enumerate(rows)
    ]
    return {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": data[0]["T"], "data": data}


def record(folder: Path, symbol: str = "XRPUSDT", duration_s: float = 600.0, files: int = 1) -> list[Path]:
    """Write the recording in `files` files of equal numbers of lines; returns them in order."""
    events = generate_order_flow(synthetic_market(symbol, "everything"), 5, duration_s).events
    lines, update = [], 0
    for rows in np.split(events, np.flatnonzero(events["kind"] == END_OF_MESSAGE) + 1):
        trades, levels = rows[rows["kind"] == TRADE], rows[np.isin(rows["kind"], (DEPTH, SNAPSHOT))]
        messages = [_trades(trades, symbol, update)] if len(trades) else []
        if len(levels):
            update += 1
            kind = "snapshot" if (levels["kind"] == SNAPSHOT).any() else "delta"
            messages.append(_book(levels, symbol, kind, update))
        lines += [f"{rows[0]['local_ts']} {json.dumps(m, separators=(',', ':'))}\n" for m in messages]
    paths = []
    for k, part in enumerate(np.array_split(np.arange(len(lines)), files)):
        paths.append(folder / f"part{k}.jsonl")
        paths[-1].write_text("".join(lines[i] for i in part), encoding="utf-8")
    return paths
