"""The feature vector: names, units, order and meaning, and a hash of it all for model bundles.

The order here is the order of the leading fields of `MARKET` (`record.py`) and of every feature matrix. A model trained
on one vector must not be fed another: bundles carry `FEATURE_SPEC_HASH` together with the hash of the parameters
(`feature_params.params_hash`, of all symbols `symbol_params.SYMBOL_PARAMS_HASH`). Any change of meaning must change `VERSION`.

Every feature is a float64; what is undefined is NaN. Codes are whole numbers, their names beside the kernels.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, NamedTuple

VERSION: Final = 2


class Feature(NamedTuple):
    """One place of the vector.

    Attributes
    ----------
    name : str
        Field of `MARKET`.
    unit : str
        "quote", "base", "usd" (quote currency), "usd/s", "bps", "fraction", "z", "code", "flag", "s", "h", "1", "1/usd".
    row : str
        Row of SYSTEMS.md.
    meaning : str

    """

    name: str
    unit: str
    row: str
    meaning: str


FEATURES: Final[tuple[Feature, ...]] = (
    Feature("mid", "quote", "F5", "middle of the touch; NaN on an invalid book"),
    Feature("best_bid", "quote", "F5", "highest bid"),
    Feature("best_ask", "quote", "F5", "lowest ask"),
    Feature("bid_size", "base", "F5", "size at the highest bid"),
    Feature("ask_size", "base", "F5", "size at the lowest ask"),
    Feature("spread_bps", "bps", "F5", "spread over mid"),
    Feature("mark", "quote", "F2", "mark price as last reported"),
    Feature("index", "quote", "F2", "index price as last reported"),
    Feature("premium", "fraction", "F2", "premium as last reported"),
    Feature("funding_rate", "fraction", "F1", "rate of the last settlement seen"),
    Feature("open_interest", "base", "F6", "open interest as last reported"),
    Feature("vpin", "1", "F3", "mean imbalance of the last complete buckets, 0 to 1"),
    Feature("vpin_rank", "1", "F3", "share of the symbol's own past values below it, 0 to 1"),
    Feature("kyle_lambda", "quote/usd", "F4", "slope of mid change on signed notional"),
    Feature("kyle_lambda_z", "z", "F4", "robust z of lambda over mid"),
    Feature("ofi", "base", "F5", "order-flow imbalance of the last tick"),
    Feature("ofi_window", "base", "F5", "its sum over the trailing window"),
    Feature("queue_imbalance", "1", "F5", "of the touch, -1 to 1"),
    Feature("weighted_mid", "quote", "F5", "mid weighted by the opposite sizes"),
    Feature("depth_imbalance", "1", "F5", "of levels 1 to 5, -1 to 1"),
    Feature("usd_per_s", "usd/s", "F6", "average traded notional, fading over a day"),
    Feature("volume_usd", "usd", "F6", "traded in the last tick"),
    Feature("signed_usd", "usd", "F6", "buys minus sells of the last tick"),
    Feature("flow_imbalance", "1", "F7", "(buys - sells) / (buys + sells) over the trailing window"),
    Feature("fsi", "1", "F6", "forced volume of the dominant side, in average volumes"),
    Feature("pressure_side", "code", "F6", "-1 selling, +1 buying pressure; the last one seen"),
    Feature("ldr", "1", "F6", "relative spread over relative band depth"),
    Feature("price_impact", "1/usd", "F6", "|log return| per notional traded in the tick"),
    Feature("oi_fall", "fraction", "F6", "fall of open interest over the lag"),
    Feature("z_fsi", "z", "F6", "robust z of fsi"),
    Feature("z_ldr", "z", "F6", "robust z of ldr"),
    Feature("z_price_impact", "z", "F6", "robust z of price_impact"),
    Feature("z_oi_fall", "z", "F6", "robust z of oi_fall"),
    Feature("lpi", "1", "F6", "0.5 z_fsi + 0.3 z_ldr + 0.2 z_price_impact"),
    Feature("liquidation_usd", "usd", "F7", "forced orders over the trailing window, buys minus sells"),
    Feature("liquidation_spike", "flag", "F7", "forced orders of a side far above a share of average volume"),
    Feature("flow_state", "code", "F7", "forced_flow.FLOW_NAMES"),
    Feature("exhausted", "flag", "F8", "the flow is exhausted at this tick"),
    Feature("whale_side", "code", "F9", "taker's side of the last whale inflow"),
    Feature("whale_multiple", "1", "F9", "its size over the rolling median"),
    Feature("whale_age_s", "s", "F9", "time since it"),
    Feature("participant", "code", "F9", "whales.CLASS_NAMES of the last trade"),
    Feature("impact_bps", "bps", "F10", "impact of the newest whale whose impact is known"),
    Feature("impact_side", "code", "F10", "its side"),
    Feature("impact_age_s", "s", "F10", "time since it traded"),
    Feature("reversion_500ms_bps", "bps", "F10", "way back of the mid 0.5 s after it"),
    Feature("reversion_1s_bps", "bps", "F10", "1 s after it"),
    Feature("reversion_2s_bps", "bps", "F10", "2 s after it"),
    Feature("reversion_5s_bps", "bps", "F10", "5 s after it"),
    Feature("cascade_side", "code", "F11", "side of the cascade alive, 0 for none"),
    Feature("oi_spike", "flag", "F11", "open interest changes abruptly"),
    Feature("cluster_below_distance", "fraction", "F12", "to the nearest cluster of long liquidations"),
    Feature("cluster_below_usd", "usd", "F12", "its notional"),
    Feature("cluster_above_distance", "fraction", "F12", "to the nearest cluster of short liquidations"),
    Feature("cluster_above_usd", "usd", "F12", "its notional"),
    Feature("round_number_distance", "fraction", "F12", "to the nearest round price, signed"),
    Feature("whale_cvd", "usd", "F13", "buys minus sells in periods of high volume"),
    Feature("whale_intensity", "1", "F13", "0 to 100"),
    Feature("retail_imbalance", "1", "F9", "of orders up to the median over the window of F13, -1 to 1"),
    Feature("hurst", "1", "F14", "H of the last 100 periods"),
    Feature("hurst_z", "z", "F14", "against random walks"),
    Feature("hurst_label", "code", "F14", "hurst.HURST_NAMES at 0.45 and 0.55; 48 % wrong on random walks"),
    Feature("hurst_label_null", "code", "F14", "at the null quantiles; 10 % wrong on random walks"),
    Feature("hurst_finer", "1", "F14", "H of the same span from 500 finer returns"),
    Feature("hurst_label_finer", "code", "F14", "its label at 0.45 and 0.55; 10 % wrong on random walks"),
    Feature("regime", "code", "F15", "kernel.REGIME_NAMES, with hysteresis"),
    Feature(
        "hmm_turbulent", "1", "F15", "filtered probability of the most volatile state; NaN without a model"
    ),
    Feature("session", "code", "F16", "session.SESSION_NAMES"),
    Feature("golden_hour", "flag", "F16", "09:00 to 16:00 UTC"),
    Feature("hour", "h", "F16", "UTC hour with its fraction"),
)

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in FEATURES)


def spec_hash(features: tuple[Feature, ...], version: int) -> str:
    """Return the SHA-256 of a declared vector: version, then name, unit, row and meaning of each place in order."""
    declared = {"version": version, "features": [list(feature) for feature in features]}
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


FEATURE_SPEC_HASH: Final[str] = spec_hash(FEATURES, VERSION)
