"""`MARKET`: one record per symbol with everything a strategy may read, and the state of all feature kernels.

The leading fields are the feature vector of `feature_spec.py`, in its order, so a row of features is the first bytes of
a record and needs no copying field by field. Then come times and counts. `internal` is the kernels' memory: no strategy
reads it. A record is data: it can be copied, saved, restored and compared.

What does not belong here: how it changes (`step.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from models.errors import DataError
from models.market.book import BOOK, new_books
from models.market.feature_params import MOST_BARS, PARAMS
from models.market.feature_spec import FEATURE_NAMES
from models.market.features.cascade import CASCADE
from models.market.features.forced_flow import EXHAUSTION
from models.market.features.heatmap import HEATMAP
from models.market.features.hurst import HURST
from models.market.features.kyle import KYLE
from models.market.features.liquidity_pressure import SWEEP
from models.market.features.open_interest import OPEN_INTEREST_STATE
from models.market.features.order_flow import TOUCH
from models.market.features.records import record_dtype
from models.market.features.retail_flow import RETAIL_FLOW
from models.market.features.robust_z import ROBUST
from models.market.features.vpin import VPIN, VPIN_HISTORY
from models.market.features.whale_cvd import WHALE_CVD
from models.market.features.whales import IMPACT, TRADE_SIZES
from models.market.features.windows import FADING_MEAN, TICK_SUM
from models.regimes.hmm import MOST_STATES
from models.regimes.kernel import REGIME_STATE

LEVELS: Final = 5

INTERNAL: Final = record_dtype(
    [
        ("vpin", VPIN),
        ("touch", TOUCH),
        ("sweep", SWEEP),
        ("cascade", CASCADE),
        ("regime", REGIME_STATE),
        ("mean_volume", FADING_MEAN),
        ("mean_depth", FADING_MEAN),
        (
            "tick_volume",
            np.float64,
        ),  # since the last tick: notional, signed notional, trades, OFI, liquidations
        ("tick_signed", np.float64),
        ("tick_ofi", np.float64),
        ("tick_forced_buys", np.float64),
        ("tick_forced_sells", np.float64),
        ("tick_trades", np.int64),
        ("tick_mid", np.float64),  # mid at the last tick
        ("last_trade_side", np.int64),
        ("last_whale_ns", np.int64),
        ("bars", np.int64),
        ("bar_volume", np.float64),
        ("hmm", np.float64, (MOST_STATES,)),
        ("bids", np.float64, (LEVELS, 2)),
        ("asks", np.float64, (LEVELS, 2)),
        ("closes", np.float64, (MOST_BARS,)),
        ("volumes", np.float64, (MOST_BARS,)),
        ("ofi", TICK_SUM),
        ("flow_volume", TICK_SUM),
        ("flow_signed", TICK_SUM),
        ("forced_buys", TICK_SUM),
        ("forced_sells", TICK_SUM),
        ("sizes", TRADE_SIZES),
        ("impact", IMPACT),
        ("exhaustion", EXHAUSTION),
        ("hurst", HURST),
        ("vpin_history", VPIN_HISTORY),
        ("kyle", KYLE),
        ("whale_cvd", WHALE_CVD),
        ("retail", RETAIL_FLOW),
        ("open_interest", OPEN_INTEREST_STATE),
        ("heatmap", HEATMAP),
        ("z_fsi", ROBUST),
        ("z_ldr", ROBUST),
        ("z_impact", ROBUST),
        ("z_oi", ROBUST),
        ("z_lambda", ROBUST),
    ]
)

MARKET: Final = record_dtype(
    [
        *((name, np.float64) for name in FEATURE_NAMES),
        ("now_ns", np.int64),  # of the last event or tick
        ("tick_at_ns", np.int64),  # the tick the features are of; 0 before the first
        ("next_tick_ns", np.int64),  # 0 before the first event
        (
            "book_at_ns",
            np.int64,
        ),  # last valid book, last trade, last open interest; 0 for none: how stale they are
        ("trade_at_ns", np.int64),
        ("open_interest_at_ns", np.int64),
        ("ticks", np.int64),
        ("trades", np.int64),
        ("refused", np.int64),  # trades whose notional was no positive number
        ("whales", np.int64),  # whale inflows so far
        ("valid", np.int64),  # 1 while the book may be traded on
        ("internal", INTERNAL),
    ]
)


SYMBOL: Final = np.dtype([("market", MARKET), ("book", BOOK), ("params", PARAMS)], align=True)
"""Everything of one symbol. The live steps take one array of these: recognising its type costs Numba 0.3 us a call,
where a record of this size, or three arrays, cost 2 to 20."""


def new_markets(symbols: int) -> NDArray[np.void]:
    """Return empty market records, one per symbol.

    Parameters
    ----------
    symbols : int

    Returns
    -------
    array of MARKET, shape (symbols,)
        Every feature NaN, every count zero. An element is a view.

    """
    if symbols < 1:
        raise DataError(f"markets: expected at least one symbol, was {symbols}")
    markets = np.zeros(symbols, dtype=MARKET)
    feature_view(markets)[:] = np.nan
    markets["internal"]["tick_mid"] = np.nan
    return cast("NDArray[np.void]", markets)


def new_market() -> np.record:
    """Return one empty market record; see `new_markets`."""
    return cast(np.record, new_markets(1)[0])


def feature_view(markets: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the feature vectors of market records, without copying.

    Parameters
    ----------
    markets : array of MARKET, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n, features)
        Shares memory with `markets`, which may be the field of an array of SYMBOL; columns in the order of `FEATURE_NAMES`.

    """
    first = markets[FEATURE_NAMES[0]]
    shape, strides = (len(markets), len(FEATURE_NAMES)), (first.strides[0], first.itemsize)
    return cast("NDArray[np.float64]", np.lib.stride_tricks.as_strided(first, shape, strides))


def new_symbols(tick_sizes: npt.ArrayLike, params: Sequence[np.record]) -> NDArray[np.void]:
    """Return everything of some symbols, empty, for the live steps.

    Parameters
    ----------
    tick_sizes : array of shape (symbols,)
    params : sequence of record of PARAMS, length symbols

    Returns
    -------
    array of SYMBOL, shape (symbols,)

    Raises
    ------
    DataError
        When there is not one record of parameters per tick size, or a tick size is not positive.

    """
    books = new_books(tick_sizes)
    if len(books) != len(params):
        raise DataError(f"symbols: expected parameters for {len(books)} symbols, was {len(params)}")
    symbols = np.zeros(len(books), dtype=SYMBOL)
    symbols["market"] = new_markets(len(books))
    symbols["book"] = books
    for i, own in enumerate(params):
        symbols["params"][i] = own
    return symbols
