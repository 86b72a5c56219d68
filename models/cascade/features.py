"""What the cascade predictor looks at: names, units and order of its features, and a hash of it all for bundles.

Every feature is read from one MARKET record (`observe.cascade_row`), so training and the executor cannot differ. What is
undefined is NaN. Here belongs the declaration; how a number is computed is in `observe`.
"""

from __future__ import annotations

from typing import Final

from models.market.feature_spec import FEATURE_SPEC_HASH, Feature, spec_hash
from models.market.symbol_params import SYMBOL_PARAMS_HASH

VERSION: Final = 1

FEATURES: Final[tuple[Feature, ...]] = (
    Feature("oi_change_1m", "fraction", "F6", "log change of open interest over a minute"),
    Feature("oi_change_5m", "fraction", "F6", "over five minutes"),
    Feature("z_oi_fall", "z", "F6", "robust z of the fall of open interest"),
    Feature("funding_rate", "fraction", "F1", "rate of the last settlement seen"),
    Feature("basis", "fraction", "F2", "mark over index, less one"),
    Feature("basis_size", "fraction", "F2", "its size"),
    Feature("cluster_below_distance", "fraction", "F12", "to the nearest cluster of long liquidations"),
    Feature("cluster_above_distance", "fraction", "F12", "to the nearest cluster of short liquidations"),
    Feature("cluster_distance", "fraction", "F12", "to the nearer of the two"),
    Feature("cluster_s", "s", "F12", "its notional in seconds of average volume"),
    Feature("depth_imbalance", "1", "F5", "of levels 1 to 5, -1 to 1"),
    Feature("depth_tilt", "1", "F5", "its size"),
    Feature("queue_imbalance", "1", "F5", "of the touch, -1 to 1"),
    Feature("momentum_1m_bps", "bps", "F15", "log mid over the last closed minute bar"),
    Feature("momentum_5m_bps", "bps", "F15", "over the fifth last"),
    Feature("momentum_15m_bps", "bps", "F15", "over the fifteenth last"),
    Feature("momentum_size_bps", "bps", "F15", "size of the fifteen-minute momentum"),
    Feature("volatility_15m_bps", "bps", "F15", "root mean square of the last 15 one-minute log returns"),
    Feature("volatility_60m_bps", "bps", "F15", "of the last 60"),
    Feature("vpin", "1", "F3", "mean imbalance of the last complete buckets"),
    Feature("vpin_rank", "1", "F3", "share of the symbol's own past values below it"),
    Feature("flow_imbalance", "1", "F7", "(buys - sells) / (buys + sells) over the trailing window"),
    Feature("spread_bps", "bps", "F5", "spread over mid"),
    Feature("z_ldr", "z", "F6", "robust z of the liquidity drain ratio"),
    Feature("kyle_lambda_z", "z", "F4", "robust z of lambda over mid"),
    Feature("liquidation_s", "s", "F7", "net forced orders in seconds of average volume"),
    Feature("cascade_alive", "flag", "F11", "whether a cascade anomaly is alive"),
)

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in FEATURES)
INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(FEATURE_NAMES)}

# A change of the market record's features, or of their parameters for any symbol, changes what these mean.
_RESTS_ON: Final = (
    Feature("market", "", "", FEATURE_SPEC_HASH),
    Feature("parameters", "", "", SYMBOL_PARAMS_HASH),
)
CASCADE_SPEC_HASH: Final[str] = spec_hash((*FEATURES, *_RESTS_ON), VERSION)
