"""Parameters of all feature kernels, their check, their hash, and the record compiled code reads them from.

`FeatureParams` is what a person sets: an immutable named tuple of numbers, every default from SYSTEMS.md. Compiled code
gets the same numbers as one record (`params_record`), because seventy arguments per call would cost more than the event.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, NamedTuple

import numpy as np

from models.errors import ConfigError
from models.market.features.hurst import FINER
from models.market.features.kyle import MOST_SAMPLES
from models.market.features.records import Field, new_record, record_dtype
from models.market.features.vpin import MOST_BUCKETS
from models.market.features.whale_cvd import MOST_PERIODS
from models.market.features.windows import MOST_TICKS
from models.regimes.hmm import MOST_STATES, GaussianHmm

SECOND_NS: Final = 1_000_000_000
MOST_BARS: Final = 128


class FeatureParams(NamedTuple):
    """Numbers that define the features; names end in their unit, plain counts and ratios have none."""

    tick_ns: int = 250_000_000  # alpha tick; 100 ms for the most liquid
    # F3
    vpin_bucket_usd: float = 50_000.0
    vpin_buckets: int = 50
    vpin_least_history: int = 100
    # F4
    kyle_window: int = 512
    kyle_least_trades: int = 200
    # robust z
    z_window_ns: int = 4 * 3600 * SECOND_NS
    z_least_count: int = 1200
    # F5
    ofi_window_ticks: int = 40
    # F6; an epsilon is in the unit of its feature, *_unit is the smallest size told apart from zero
    theta: float = 5e-4
    kappa: float = 0.5
    band_bps: float = 10.0
    volume_time_constant_s: float = 86_400.0
    volume_least_s: float = 600.0
    depth_time_constant_s: float = 4 * 3600.0
    depth_least_s: float = 300.0
    fsi_epsilon: float = 1.0
    fsi_unit: float = 1e-4
    ldr_epsilon: float = 0.0
    ldr_unit: float = 1e-8
    impact_floor: float = 1.0  # in average volumes of a tick: moves on next to no volume must not explode
    impact_epsilon: float = 1e-5  # log return on one average volume of a tick
    impact_unit: float = 1e-15
    oi_lag_ns: int = 10 * SECOND_NS
    oi_stale_ns: int = 900 * SECOND_NS
    oi_epsilon: float = 1e-5
    oi_unit: float = 1e-9
    lambda_unit: float = 1e-15
    # F7
    z_fsi_limit: float = 2.0
    z_oi_limit: float = 1.5
    flow_window_ticks: int = 120
    persistent_flow: float = 0.6
    liquidation_window_ticks: int = 40
    liquidation_spike: float = 0.5  # of the average volume over the window
    # F8
    lpi_limit: float = 3.0
    falling_ticks: int = 3
    divergence_short_ns: int = SECOND_NS
    divergence_long_ns: int = 3 * SECOND_NS
    # F9, F10
    whale_inflow_multiple: float = 10.0
    whale_multiple: float = 20.0
    whale_least_trades: int = 200
    retail_multiple: float = 1.0  # of the median order, up to which an order is small
    arbitrage_basis: float = 5e-4
    impact_delay_ns: int = 100_000_000
    # F11
    cascade_multiple: float = 10.0
    cascade_trades: int = 5
    cascade_gap_ns: int = 10 * SECOND_NS
    cascade_alive_ns: int = 300 * SECOND_NS
    oi_spike_z: float = 3.0
    # F12
    heatmap_half_life_s: float = 6 * 3600.0
    maintenance_margin: float = 0.005
    cluster_reach_bins: int = 200
    cluster_multiple: float = 3.0
    # F13
    cvd_period_ns: int = SECOND_NS
    cvd_periods: int = 900
    cvd_volume_multiple: float = 3.0
    # F14, F15
    bar_ns: int = 60 * SECOND_NS  # a period of the Hurst window, a bar of the regime
    regime_bars: int = 96
    regime_trend_efficiency: float = 0.35
    regime_volatile: float = 1.5
    regime_entropy: float = 0.985
    regime_leave_trend_efficiency: float = 0.25
    regime_leave_volatile: float = 1.2
    regime_leave_entropy: float = 0.97
    regime_noise_hurst: float = 0.375
    regime_distribution_volume: float = 1.0
    regime_least_dwell_bars: int = 10


def _fields() -> list[Field]:
    fields: list[Field] = [
        (name, np.int64 if isinstance(default, int) else np.float64)
        for name, default in FeatureParams._field_defaults.items()
    ]
    k = MOST_STATES
    return [
        *fields,
        ("hmm_states", np.int64),  # 0 without a model
        ("hmm_start", np.float64, (k,)),
        ("hmm_transition", np.float64, (k, k)),
        ("hmm_means", np.float64, (k,)),
        ("hmm_variances", np.float64, (k,)),
    ]


PARAMS: Final = record_dtype(_fields())

_AT_MOST: Final = {
    "vpin_buckets": MOST_BUCKETS,
    "kyle_window": MOST_SAMPLES,
    "ofi_window_ticks": MOST_TICKS,
    "flow_window_ticks": MOST_TICKS,
    "liquidation_window_ticks": MOST_TICKS,
    "cvd_periods": MOST_PERIODS,
    "regime_bars": MOST_BARS,
}
_AT_LEAST: Final = {"kyle_window": 3, "regime_bars": 8}
_MAY_BE_ZERO: Final = {"theta", "kappa", "fsi_epsilon", "ldr_epsilon", "impact_epsilon", "oi_epsilon"}


def check_params(params: FeatureParams) -> FeatureParams:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number that is out of range, or the durations that do not divide.

    """
    for name, number in params._asdict().items():
        least = _AT_LEAST.get(name, 0 if name in _MAY_BE_ZERO else None)
        fits = number > 0 if least is None else number >= least
        if not (np.isfinite(number) and fits):
            wanted = "more than 0" if least is None else f"at least {least}"
            raise ConfigError(f"feature parameter {name}: expected {wanted}, was {number}")
        if number > _AT_MOST.get(name, np.inf):
            raise ConfigError(f"feature parameter {name}: expected at most {_AT_MOST[name]}, was {number}")
    for name, duration in (("cvd_period_ns", params.cvd_period_ns), ("bar_ns / 5", params.bar_ns // FINER)):
        if duration % params.tick_ns != 0:
            raise ConfigError(
                f"feature parameter {name}: expected a multiple of tick_ns = {params.tick_ns}, was {duration}"
            )
    return params


def params_hash(params: FeatureParams) -> str:
    """Return the SHA-256 of the parameters, for bundles beside `FEATURE_SPEC_HASH`."""
    return hashlib.sha256(json.dumps(params._asdict(), sort_keys=True).encode()).hexdigest()


def params_record(params: FeatureParams | None = None, hmm: GaussianHmm | None = None) -> np.record:
    """Return checked parameters, and a fitted model if there is one, as the record compiled code reads.

    Parameters
    ----------
    params : FeatureParams, optional
        The defaults if left out.
    hmm : GaussianHmm, optional
        States sorted by variance; without it `hmm_turbulent` stays undefined.

    Raises
    ------
    ConfigError

    """
    chosen = check_params(params or FeatureParams())
    record = new_record(PARAMS)
    for name, number in chosen._asdict().items():
        record[name] = number
    if hmm is not None:
        k = len(hmm.start)
        if k > MOST_STATES:
            raise ConfigError(f"hmm: expected at most {MOST_STATES} states, was {k}")
        record["hmm_states"] = k
        record["hmm_start"][:k] = hmm.start
        record["hmm_transition"][:k, :k] = hmm.transition
        record["hmm_means"][:k] = hmm.means
        record["hmm_variances"][:k] = hmm.variances
    return record
