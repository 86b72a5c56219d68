"""Seeded funding histories in which the settlements follow from the premium by the venue's formula.

What is observed of the premium is a proxy: the true minutes less an offset, with noise, averaged into bars.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from scipy.signal import lfilter

from models.funding.formula import average_premium, funding_rate
from models.funding.inputs import HOUR_NS, MINUTE_NS, SOURCE_PERP_SPOT, FundingInputs

DAY_NS = 24 * HOUR_NS
START_NS = 1_735_689_600_000_000_000  # 2025-01-01 00:00 UTC
CAP = 0.005

CLOCKS: dict[str, tuple[str, ...]] = {
    "settlement_ts": ("settlement_ts", "rate"),
    "premium_available_at": (
        "premium_available_at",
        "premium_ts",
        "premium_bar_s",
        "premium",
        "premium_source",
    ),
    "oi_available_at": ("oi_available_at", "open_interest"),
    "ratio_available_at": ("ratio_available_at", "long_ratio"),
    "cross_available_at": ("cross_available_at", "cross_rate_per_hour"),
    "caps_available_at": ("caps_available_at", "cap_lower", "cap_upper"),
}


def premium_minutes(rng: np.random.Generator, minutes: int) -> np.ndarray:
    """A mean-reverting walk around 1 bp that leaves the dead band about every third settlement."""
    half_life = 600.0
    decay = 0.5 ** (1.0 / half_life)
    shocks = rng.normal(0.0, 6e-4 * np.sqrt(1.0 - decay**2), minutes)
    return np.asarray(1e-4 + lfilter([1.0], [1.0, -decay], shocks))


def settlement_minutes(schedule: tuple[tuple[float, int], ...]) -> list[tuple[int, int]]:
    """(minute of settlement, minutes of its interval) of a schedule of (days, interval in hours)."""
    out: list[tuple[int, int]] = []
    at = 0
    for days, interval_h in schedule:
        for _ in range(round(days * 24 / interval_h)):
            at += interval_h * 60
            out.append((at, interval_h * 60))
    return out


def make_inputs(
    symbol: str = "AAAUSDT",
    seed: int = 1,
    schedule: tuple[tuple[float, int], ...] = ((40.0, 8),),
    bar_min: int = 5,
    source: int = SOURCE_PERP_SPOT,
    offset: float = 5e-5,
    noise: float = 5e-5,
) -> FundingInputs:
    """Build one symbol's history.

    `schedule` lists (days, interval in hours) one after the other; the venue's premium is the proxy plus `offset`.
    """
    rng = np.random.default_rng(seed)
    ends = settlement_minutes(schedule)
    minutes = ends[-1][0]
    truth = premium_minutes(rng, minutes)
    rates = [float(funding_rate(average_premium(truth[e - n : e]), n / 60, -CAP, CAP)) for e, n in ends]
    bars = minutes // bar_min
    proxy = (
        truth[: bars * bar_min].reshape(bars, bar_min).mean(axis=1) - offset + rng.normal(0.0, noise, bars)
    )
    bar_ts = START_NS + np.arange(bars, dtype=np.int64) * bar_min * MINUTE_NS
    five = START_NS + np.arange(0, minutes + 1, 5, dtype=np.int64) * MINUTE_NS
    hours = START_NS + np.arange(0, minutes + 1, 60, dtype=np.int64) * MINUTE_NS
    return FundingInputs(
        symbol=symbol,
        settlement_ts=START_NS + np.array([e for e, _ in ends], dtype=np.int64) * MINUTE_NS,
        rate=np.array(rates),
        premium_available_at=bar_ts + bar_min * MINUTE_NS,
        premium_ts=bar_ts,
        premium_bar_s=np.full(bars, bar_min * 60, dtype=np.int64),
        premium=proxy,
        premium_source=np.full(bars, source, dtype=np.int64),
        oi_available_at=five,
        open_interest=1e6 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, len(five)))),
        ratio_available_at=hours,
        long_ratio=np.clip(0.5 + 0.05 * rng.normal(size=len(hours)), 0.0, 1.0),
        cross_available_at=hours[::4],
        cross_rate_per_hour=rng.normal(1e-5, 1e-5, len(hours[::4])),
        caps_available_at=np.array([START_NS + DAY_NS, START_NS + 20 * DAY_NS], dtype=np.int64),
        cap_lower=np.array([-CAP, -2 * CAP]),
        cap_upper=np.array([CAP, 2 * CAP]),
    )


def concatenate(first: FundingInputs, second: FundingInputs) -> FundingInputs:
    """Put the rows of `second` after those of `first`."""
    joined = {
        f.name: np.concatenate([getattr(first, f.name), getattr(second, f.name)])
        for f in fields(FundingInputs)
        if f.name != "symbol"
    }
    return FundingInputs(symbol=first.symbol, **joined)


def since(inputs: FundingInputs, at_ns: dict[str, int]) -> FundingInputs:
    """Drop the rows of each clock that precede the given instant."""
    kept = {}
    for clock, columns in CLOCKS.items():
        begin = int(np.searchsorted(getattr(inputs, clock), at_ns.get(clock, 0), side="left"))
        kept |= {column: getattr(inputs, column)[begin:] for column in columns}
    return replace(inputs, **kept)


def spoil_after(inputs: FundingInputs, at_ns: int, seed: int, *, wild: bool) -> FundingInputs:
    """Change every row that became known after `at_ns`; wild rows have NaN, infinities and other times too."""
    rng = np.random.default_rng(seed)
    changed = {}
    for clock, columns in CLOCKS.items():
        begin = int(np.searchsorted(getattr(inputs, clock), at_ns, side="right"))
        for column in columns:
            array = getattr(inputs, column).copy()
            later = len(array) - begin
            if array.dtype == np.float64:
                array[begin:] = array[begin:] * -3.0 + 1e-4
                if wild:
                    array[begin:] = rng.choice([np.nan, np.inf, -np.inf, 1e9, -1e9, 0.0], later)
            elif wild and column == clock:
                array[begin:] = at_ns + 1 + np.sort(rng.integers(0, 30 * DAY_NS, later))
            elif wild and column == "premium_ts":
                array[begin:] = rng.integers(START_NS, at_ns + 30 * DAY_NS, later)
            changed[column] = array
    return replace(inputs, **changed)
