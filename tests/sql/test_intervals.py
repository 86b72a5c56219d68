"""The interval of a settlement is found in one way, though two files do it: Bybit's must not wait for other venues."""

from __future__ import annotations

import duckdb
import numpy as np

from tests.sql.support import all_models, create_table

HOUR = 3_600_000_000_000


def test_the_two_files_agree_on_any_settlements():
    random = np.random.default_rng(5)
    steps = random.choice([1, 2, 4, 8, 16, 24, 11], size=400, p=[0.3, 0.1, 0.2, 0.3, 0.04, 0.03, 0.03])
    ts = np.cumsum(steps) * HOUR + random.integers(0, 150 * 10**9, len(steps))
    rows = [
        {"symbol": "AB"[i % 2], "settlement_ts": int(t), "funding_rate": 1e-4, "available_at": int(t)}
        for i, t in enumerate(ts)
    ]
    bybit, market = (all_models()[f"int_{name}__funding_intervals"] for name in ("bybit", "market"))
    with duckdb.connect() as connection:
        for name in ("stg_bybit__funding", "stg_binance__funding"):
            create_table(connection, name, rows)
        create_table(connection, "stg_okx__funding", [])
        connection.execute(f"create table int_bybit__funding_intervals as {bybit.sql}")
        found = f"select * exclude (venue) from ({market.sql}\n) where venue = '{{}}' order by all"
        ours, theirs = (connection.execute(found.format(v)).fetchall() for v in ("bybit", "binance"))
    assert len(ours) == 400
    assert ours == theirs
