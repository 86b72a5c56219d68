"""Parameters of the features of one symbol: what depends on how much of it is traded. Numbers and nothing else.

Research and executor ask `params_of_symbol` alike, so that one symbol means the same numbers in both. What all symbols share is
`feature_params.FeatureParams`.

A bucket of VPIN is SYSTEMS.md's 50 000 USD for BTCUSDT on the main network. Others have the same share of their own turnover,
so that fifty buckets are about as long a time everywhere, rounded to the nearest 1-2-5 step (in the logarithm). Measured on
Bybit's perpetuals from 2025-09-24 to 2026-03-05, volume times close, the days all have in common (`bybit_perp_klines_5m`; DOGE
and HYPE: `bybit_perp_klines_1h`):

========  ===========  ==============  ===========
symbol    USD M a day  share of BTC's  bucket, USD
========  ===========  ==============  ===========
BTCUSDT   7507         1               50 000
ETHUSDT   5035         0.671           50 000
SOLUSDT   1789         0.238           10 000
DOGEUSDT  359          0.0479          2 000
HYPEUSDT  243          0.0324          2 000
BNBUSDT   162          0.0215          1 000
ADAUSDT   145          0.0193          1 000
========  ===========  ==============  ===========

A symbol that is not in the table has the smallest bucket of it. If it is traded more, VPIN is defined sooner and its level is
higher, for fewer trades share a bucket; rules look at its rank among the symbol's own values. Too large a bucket would leave it
undefined for hours. On Bybit's testnet every bucket is a tenth, as SYSTEMS.md has it for BTCUSDT.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import Final

from models.market.feature_params import FeatureParams, params_hash

VPIN_BUCKET_USD: Final = MappingProxyType(
    {
        "BTCUSDT": 50_000.0,
        "ETHUSDT": 50_000.0,
        "SOLUSDT": 10_000.0,
        "DOGEUSDT": 2_000.0,
        "HYPEUSDT": 2_000.0,
        "BNBUSDT": 1_000.0,
        "ADAUSDT": 1_000.0,
    }
)
"""On the main network."""
UNLISTED_BUCKET_USD: Final = min(VPIN_BUCKET_USD.values())
TESTNET_SHARE: Final = 0.1


def params_of_symbol(symbol: str, testnet: bool = False, base: FeatureParams | None = None) -> FeatureParams:
    """Return the parameters of a symbol's features.

    Parameters
    ----------
    symbol : str
    testnet : bool
        Whether the market is Bybit's testnet, not whether orders go there. Recordings, synthetic markets and the local testnet
        trade what the main network trades.
    base : FeatureParams, optional
        All else; its own bucket is not looked at.

    Returns
    -------
    FeatureParams

    """
    bucket = VPIN_BUCKET_USD.get(symbol, UNLISTED_BUCKET_USD)
    return (base or FeatureParams())._replace(vpin_bucket_usd=TESTNET_SHARE * bucket if testnet else bucket)


def _hash() -> str:
    digest = hashlib.sha256(f"{params_hash(params_of_symbol(''))}\n".encode())
    for symbol in sorted(VPIN_BUCKET_USD):
        digest.update(f"{symbol} {params_hash(params_of_symbol(symbol))}\n".encode())
    return digest.hexdigest()


SYMBOL_PARAMS_HASH: Final[str] = _hash()
"""SHA-256 of the parameters of every symbol: whoever learns from features of any of them carries it in the bundle."""
