"""The premium proxy in SQL and in `models.funding.proxy` is one definition."""

from __future__ import annotations

import duckdb
import numpy as np

from models.funding.proxy import bar_price, perp_spot_premium
from tests.support import ROOT


def test_sql_and_python_agree_to_the_last_bits() -> None:
    rng = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 1e-3, (2, 200)), axis=1))
    bars = np.stack([close * f for f in (0.999, 1.002, 0.997, 1.0)], axis=1)
    sql = (ROOT / "dbt_like_sql/intermediate/int_bybit__perp_spot_premium.sql").read_text()
    with duckdb.connect() as connection:
        for name, (open_, high, low, last) in zip(("perp", "spot"), bars, strict=True):
            columns = {"ts": np.arange(200), "open": open_, "high": high, "low": low, "close": last}
            connection.register(f"{name}_rows", columns | {"available_at": np.arange(200) + 1})
            connection.execute(
                f"create view stg_bybit__{name}_klines as select 'BTCUSDT' as symbol, * from {name}_rows"
            )
        found = connection.execute(f"select premium from ({sql}) order by ts").fetchnumpy()["premium"]
    expected = perp_spot_premium(bar_price(*bars[0]), bar_price(*bars[1]))
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-15)
