"""The feature vector of a funding forecast: one implementation for research and live.

Here belongs `FundingContext.row`, which training calls for every past settlement and the executor for the next one, and the
declared names, units and order of the vector with their hash. A row at time t uses only what was known at t. The premium
estimate itself is in `premium_path` and `structural`; what is learned from rows is in `candidates`.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from models.funding.formula import DAMPENER, funding_rate, interest, weight_between
from models.funding.inputs import HOUR_NS, MINUTE_NS, FundingInputs, intervals_h
from models.funding.premium_path import (
    PATH_PARAMS,
    STALEST_MIN,
    WARM_UP_MINUTES,
    PathParams,
    PremiumWindow,
    expected_average,
    interval_start,
    premium_window,
)
from models.funding.structural import (
    OFFSET_PARAMS,
    OffsetState,
    Settlement,
    expected_rate,
    run_filter,
    start_state,
    with_past_rates,
)

Floats = NDArray[np.float64]

FEATURES: tuple[tuple[str, str], ...] = (
    ("rate_last", "fraction"),
    ("rate_ewma", "fraction"),
    ("rate_trend", "fraction"),
    ("rate_volatility_24h", "fraction"),
    ("same_sign_run", "count, signed"),
    ("hour_sin", "1"),
    ("hour_cos", "1"),
    ("oi_change_5m", "log ratio"),
    ("oi_change_15m", "log ratio"),
    ("premium_now", "fraction"),
    ("long_ratio", "share"),
    ("cross_basis", "fraction per interval"),
    ("cap_distance", "share of cap"),
    ("interval_h", "hours"),
    ("horizon_min", "minutes"),
    ("weight_fixed", "share"),
    ("premium_so_far", "fraction"),
    ("implied_rate_now", "fraction"),
    ("structural_rate", "fraction"),
    ("offset", "fraction"),
    ("offset_fast", "fraction"),
    ("last_innovation", "fraction"),
    ("latent_mean", "fraction"),
    ("latent_sd", "fraction"),
    ("filtered_rate", "fraction"),
    ("band_edge_distance", "fraction"),
    ("premium_15m_less_latent", "fraction"),
    ("premium_60m_less_latent", "fraction"),
    ("premium_sd_60m", "fraction"),
)
FEATURE_NAMES: tuple[str, ...] = tuple(name for name, _ in FEATURES)
INDEX: dict[str, int] = {name: position for position, name in enumerate(FEATURE_NAMES)}

LOOKBACK_SETTLEMENTS = 180
"""Past settlements the offset filter runs over: bounded, so that live and research agree however long their history is."""

LEAST_COVERAGE = 0.8
"""Least share of an interval's minutes that real bars must stand for; below it there is no forecast."""

_RATES = 24  # settlements the rate features look back on
_EWMA_ALPHA = 0.3
_STALE_NS = 10 * MINUTE_NS  # an open interest older than this says nothing about the last minutes
_UNTOUCHED = PathParams(smoothing_min=0.0, tail_min=30.0)

# What the numbers depend on besides names: any change of these makes old bundles invalid.
_SPEC = {
    "features": FEATURES,
    "lookback": LOOKBACK_SETTLEMENTS,
    "coverage": LEAST_COVERAGE,
    "warm_up_min": WARM_UP_MINUTES,
    "stalest_min": STALEST_MIN,
    "ewma": _EWMA_ALPHA,
    "rates": _RATES,
    "stale_ns": _STALE_NS,
    "untouched": astuple(_UNTOUCHED),
    "path": {str(source): astuple(params) for source, params in PATH_PARAMS.items()},
    "offset": {str(source): astuple(params) for source, params in OFFSET_PARAMS.items()},
    "version": 2,
}
FEATURE_SPEC_HASH: str = hashlib.sha256(json.dumps(_SPEC, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class FeatureRow:
    """The features of one settlement at one instant before it.

    Attributes
    ----------
    symbol : str
    settlement_ns, made_at_ns : int
        The settlement to be forecast and the instant whose knowledge the row holds, ns UTC.
    horizon_min : int
        Minutes between the two.
    interval_h : float
    cap_lower, cap_upper : float
        Caps seen last; infinite where none was ever seen.
    values : ndarray of float64, shape (len(FEATURE_NAMES),)
        NaN where the venue has no such data.

    """

    symbol: str
    settlement_ns: int
    made_at_ns: int
    horizon_min: int
    interval_h: float
    cap_lower: float
    cap_upper: float
    values: Floats

    def __getitem__(self, name: str) -> float:
        """Value of the named feature."""
        return float(self.values[INDEX[name]])


class FundingContext:
    """Features of one symbol, with what they share between rows computed once.

    Parameters
    ----------
    inputs : FundingInputs
        History of any length; a row never looks past its own instant, so more history changes nothing.

    """

    def __init__(self, inputs: FundingInputs) -> None:
        self.inputs = inputs
        self._intervals = intervals_h(inputs.settlement_ts)
        self._settlements: dict[int, Settlement | None] = {}
        self._states: dict[tuple[int, int], tuple[OffsetState, int | None]] = {}

    def row(self, settlement_ns: int, at_ns: int, interval_h: float) -> FeatureRow | None:
        """Return the features of the settlement at `settlement_ns` as known at `at_ns`.

        Parameters
        ----------
        settlement_ns, at_ns : int
            ns UTC; `at_ns` precedes `settlement_ns`.
        interval_h : float
            Length of the interval that ends at the settlement, hours.

        Returns
        -------
        FeatureRow or None
            None where too little of the premium is known or no settlement was seen yet.

        """
        inputs = self.inputs
        start = interval_start(settlement_ns, interval_h)
        window = premium_window(inputs, start, at_ns)
        known = int(np.searchsorted(inputs.settlement_ts, at_ns, side="right"))
        if window is None or window.coverage < LEAST_COVERAGE or known == 0:
            return None
        last_cap = int(np.searchsorted(inputs.caps_available_at, at_ns, side="right")) - 1
        lower = float(inputs.cap_lower[last_cap]) if last_cap >= 0 else -math.inf
        upper = float(inputs.cap_upper[last_cap]) if last_cap >= 0 else math.inf
        values = np.full(len(FEATURE_NAMES), np.nan)
        self._rate_features(values, known)
        self._premium_features(values, window, known, settlement_ns, at_ns, interval_h, (lower, upper))
        self._slow_features(values, at_ns, interval_h)
        hour = 2.0 * math.pi * ((settlement_ns // HOUR_NS) % 24) / 24.0
        _put(values, hour_sin=math.sin(hour), hour_cos=math.cos(hour), interval_h=interval_h)
        horizon = int((settlement_ns - at_ns) // MINUTE_NS)
        _put(values, horizon_min=float(horizon))
        return FeatureRow(inputs.symbol, settlement_ns, at_ns, horizon, interval_h, lower, upper, values)

    def _premium_features(
        self,
        values: Floats,
        window: PremiumWindow,
        known: int,
        settlement_ns: int,
        at_ns: int,
        interval_h: float,
        caps: tuple[float, float],
    ) -> None:
        start = interval_start(settlement_ns, interval_h)
        state, source = self._offset(known, settlement_ns)
        if source != window.source:  # also where no settlement could be read: each proxy has its own prior
            state = start_state(OFFSET_PARAMS[window.source])
        params = OFFSET_PARAMS[window.source]
        horizon = (settlement_ns - at_ns) / MINUTE_NS
        mean = expected_average(window, interval_h, start, at_ns) + state.mean
        untouched = expected_average(window, interval_h, start, at_ns, _UNTOUCHED)
        so_far, fixed = _seen_average(window, interval_h, start, at_ns)
        minutes = window.premium
        spread = float(minutes[-60:].std())
        tail_sd = params.tail_sd * horizon / 90.0 + params.tail_spread * (1.0 - fixed) * spread
        sd = math.sqrt(state.variance + params.observation_sd**2 + tail_sd**2)
        past = values[INDEX["rate_ewma"]]
        mean, sd = with_past_rates(mean, sd, past, interval_h, params.rate_sd)
        center = interest(interval_h)
        implied = float(funding_rate(so_far, interval_h, *caps))
        _put(
            values,
            premium_now=float(minutes[-1]),
            cap_distance=(caps[1] - abs(implied)) / caps[1] if math.isfinite(caps[1]) else math.nan,
            weight_fixed=fixed,
            premium_so_far=so_far,
            implied_rate_now=implied,
            structural_rate=float(funding_rate(untouched, interval_h, *caps)),
            offset=state.mean,
            offset_fast=state.fast,
            last_innovation=state.last_innovation,
            latent_mean=mean,
            latent_sd=sd,
            filtered_rate=expected_rate(mean, sd, interval_h, *caps),
            band_edge_distance=abs(mean - center) - DAMPENER,
            premium_15m_less_latent=float(minutes[-15:].mean()) + state.mean - mean,
            premium_60m_less_latent=float(minutes[-60:].mean()) + state.mean - mean,
            premium_sd_60m=spread,
        )

    def _offset(self, known: int, settlement_ns: int) -> tuple[OffsetState, int | None]:
        key = (known, settlement_ns)
        if key not in self._states:
            past = (self._settlement(i) for i in range(max(known - LOOKBACK_SETTLEMENTS, 0), known))
            self._states[key] = run_filter([s for s in past if s is not None], settlement_ns)
        return self._states[key]

    def _settlement(self, index: int) -> Settlement | None:
        if index not in self._settlements:
            self._settlements[index] = self._read_settlement(index)
        return self._settlements[index]

    def _read_settlement(self, index: int) -> Settlement | None:
        interval_h = float(self._intervals[index])
        if math.isnan(interval_h):
            return None
        ts = int(self.inputs.settlement_ts[index])
        start = interval_start(ts, interval_h)
        window = premium_window(self.inputs, start, ts)
        if window is None or window.coverage < LEAST_COVERAGE:
            return None
        average = expected_average(window, interval_h, start, ts)
        return Settlement(ts, interval_h, float(self.inputs.rate[index]), average, window.source)

    def _rate_features(self, values: Floats, known: int) -> None:
        rates = self.inputs.rate[max(known - _RATES, 0) : known]
        times = self.inputs.settlement_ts[max(known - _RATES, 0) : known]
        weights = (1.0 - _EWMA_ALPHA) ** np.arange(len(rates))[::-1]
        day = rates[times > times[-1] - 24 * HOUR_NS]
        signs = np.sign(rates)
        run = int(np.argmax(np.append(signs[::-1] != signs[-1], True)))
        _put(
            values,
            rate_last=float(rates[-1]),
            rate_ewma=float(weights @ rates / weights.sum()),
            rate_trend=float(rates[-3:].mean() - rates[-6:-3].mean()) if len(rates) >= 6 else math.nan,
            rate_volatility_24h=float(day.std()) if len(day) >= 3 else math.nan,
            same_sign_run=float(signs[-1] * run),
        )

    def _slow_features(self, values: Floats, at_ns: int, interval_h: float) -> None:
        inputs = self.inputs
        now = _as_of(inputs.oi_available_at, inputs.open_interest, at_ns, _STALE_NS)
        for minutes in (5, 15):
            before = _as_of(
                inputs.oi_available_at, inputs.open_interest, at_ns - minutes * MINUTE_NS, _STALE_NS
            )
            change = math.log(now / before) if now > 0.0 and before > 0.0 else math.nan
            values[INDEX[f"oi_change_{minutes}m"]] = change
        _put(
            values,
            long_ratio=_as_of(inputs.ratio_available_at, inputs.long_ratio, at_ns, 6 * HOUR_NS),
            cross_basis=values[INDEX["rate_last"]]
            - interval_h * _as_of(inputs.cross_available_at, inputs.cross_rate_per_hour, at_ns, 12 * HOUR_NS),
        )


def _put(values: Floats, **named: float) -> None:
    for name, value in named.items():
        values[INDEX[name]] = value


def _as_of(clock: NDArray[np.int64], column: Floats, at_ns: int, stale_ns: int) -> float:
    """Last value known at `at_ns`, NaN where there is none or it is older than `stale_ns`."""
    position = int(np.searchsorted(clock, at_ns, side="right")) - 1
    if position < 0 or at_ns - int(clock[position]) > stale_ns:
        return math.nan
    return float(column[position])


def _seen_average(window: PremiumWindow, interval_h: float, start_ns: int, at_ns: int) -> tuple[float, float]:
    """Venue-weighted average of the minutes seen so far, and the share of the weight they carry."""
    seen = int((at_ns - start_ns) // MINUTE_NS)
    if seen <= 0:
        return float(window.premium[-1]), 0.0
    weights = np.arange(1, seen + 1, dtype=np.float64)
    average = float(weights @ window.premium[WARM_UP_MINUTES:] / weights.sum())
    return average, weight_between(0, seen) / weight_between(0, interval_h * 60)
