"""Market time for the learning loops: the newest instant the executor's journal knows.

The executor's clock is the market's, which need not be ours (a local testnet may run faster). Its journal says what time it is
there without asking anybody, so learning works with the venue out of reach; a policy learned from an old journal expires with it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_pipelines.resources.products import Products

MARTS = ("mart_hean__equity", "mart_hean__events")


def market_now_ns(products: Products) -> int:
    """Return the newest stamp of the journal's marts, or our own clock where the executor has never run; ns UTC."""
    import polars as pl

    newest = [
        pl.read_parquet(products.mart(name), columns=["at_ns"]).get_column("at_ns").max()
        for name in MARTS
        if products.mart(name).is_file()
    ]
    known = [int(stamp) for stamp in newest if isinstance(stamp, int)]
    return max(known, default=0) or time.time_ns()
