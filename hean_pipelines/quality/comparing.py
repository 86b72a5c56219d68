"""Two series that should say the same: whether they are shifted in time, in other units, or apart.

Series are frames of `ts` (Int64 ns) and `value` (Float64), each stamp once. What does not belong here: what to do about it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from models.errors import DataError

HOUR_NS = 3_600_000_000_000
_LEAST_MATCHES = 20
_CLEAR = 0.2
"""A shift must correlate this much better than no shift: bars of neighbouring hours resemble each other a little."""


@dataclass(frozen=True)
class Shift:
    """How one series lies against another in time.

    Attributes
    ----------
    lag_ns : int
        What to add to the stamps of the second so that it matches the first best; 0 where nothing matches clearly better.
    correlation : float
        Of changes from row to row, at that lag; NaN where too few rows match.
    unshifted : float
        The same without a shift.
    matched : int
        Rows that match at that lag.

    """

    lag_ns: int
    correlation: float
    unshifted: float
    matched: int

    @property
    def is_shifted(self) -> bool:
        """Whether another lag than none fits clearly better."""
        return self.lag_ns != 0


def time_zone_shift(
    first: pl.DataFrame, second: pl.DataFrame, *, step_ns: int = HOUR_NS, most_steps: int = 14
) -> Shift:
    """Find the lag at which the changes of two series agree best, among whole steps up to the widest time zone.

    Parameters
    ----------
    first, second : DataFrame
        `ts`, `value`; the second's stamps are in doubt.
    step_ns : int
        Lags tried are multiples of this.
    most_steps : int
        Furthest lag each way.

    Raises
    ------
    DataError
        If not even one lag matches enough rows.

    """
    a, b = _changes(first), _changes(second)
    fits = {step: _correlation(a, b, step * step_ns) for step in range(-most_steps, most_steps + 1)}
    known = {step: fit for step, fit in fits.items() if fit[1] >= _LEAST_MATCHES and math.isfinite(fit[0])}
    if not known:
        raise DataError(
            f"expected {_LEAST_MATCHES} rows in common at some lag, was {max(fit[1] for fit in fits.values())}"
        )
    best = max(known, key=lambda step: (known[step][0], -abs(step)))
    unshifted = known[0][0] if 0 in known else math.nan
    if best != 0 and math.isfinite(unshifted) and known[best][0] < unshifted + _CLEAR:
        best = 0
    return Shift(best * step_ns, known[best][0], unshifted, known[best][1])


@dataclass(frozen=True)
class UnitFactor:
    """How many times larger the first series is: the median ratio, its nearest power of ten, and the rows compared."""

    ratio: float
    power: int
    matched: int

    @property
    def is_another_unit(self) -> bool:
        """Whether the two are a power of ten apart."""
        return self.power != 0


def unit_factor(first: pl.DataFrame, second: pl.DataFrame) -> UnitFactor:
    """Compare the sizes of two series at common stamps.

    Raises
    ------
    DataError
        If no stamp is common, or no value above zero.

    """
    ratios = (
        first.join(second, on="ts", suffix="_second")
        .filter((pl.col("value") > 0) & (pl.col("value_second") > 0))
        .select(pl.col("value") / pl.col("value_second"))
        .to_series()
    )
    if ratios.is_empty():
        raise DataError("expected values above zero at common stamps, was none")
    median = float(ratios.median())  # type: ignore[arg-type]
    return UnitFactor(median, round(math.log10(median)), ratios.len())


@dataclass(frozen=True)
class Spread:
    """Widest differences, in powers of ten, between symbols' ratios: as stated, and multiplied by the contract values."""

    as_stated: float
    multiplied: float

    @property
    def lacks_multiplier(self) -> bool:
        """Whether the symbols come together by more than a power of ten when multiplied."""
        return self.multiplied < self.as_stated - 1.0


def contract_spread(ratios: Mapping[str, float], contract_values: Mapping[str, float]) -> Spread:
    """Say whether one venue's amounts are contracts rather than coins, by many symbols at once.

    One symbol alone cannot tell: a venue may well trade ten times what another does. But that ratio is of one size for all
    symbols, unless a contract of each holds another number of coins.

    Parameters
    ----------
    ratios : mapping of str to float
        By symbol, the venue's amount over that of another venue; at least two symbols.
    contract_values : mapping of str to float
        Coins a contract holds.

    """
    if len(ratios) < 2:
        raise DataError(f"expected ratios of two symbols at least, was {len(ratios)}")
    stated = [math.log10(ratio) for ratio in ratios.values()]
    scaled = [math.log10(ratio * contract_values[symbol]) for symbol, ratio in ratios.items()]
    return Spread(max(stated) - min(stated), max(scaled) - min(scaled))


@dataclass(frozen=True)
class Disagreement:
    """How far two series are apart at common stamps.

    Attributes
    ----------
    matched : int
        Common stamps.
    only_first, only_second : int
        Stamps of one alone, within the time both cover.
    median, worst : float
        Absolute differences: relative to the second, or as they are.
    beyond : int
        Stamps with more than the tolerance.
    examples : list of dict
        The furthest.

    """

    matched: int
    only_first: int
    only_second: int
    median: float
    worst: float
    beyond: int
    examples: list[dict[str, float]]


def disagreement(
    first: pl.DataFrame, second: pl.DataFrame, tolerance: float, *, relative: bool = True
) -> Disagreement:
    """Compare two series stamp by stamp.

    Parameters
    ----------
    first, second : DataFrame
        `ts`, `value`.
    tolerance : float
        Allowed difference: a fraction of the second, or in its unit where not `relative`.
    relative : bool
        Whether differences are divided by the second's value.

    """
    if first.is_empty() or second.is_empty():
        return Disagreement(0, first.height, second.height, math.nan, math.nan, 0, [])
    start = max(first["ts"].min(), second["ts"].min())  # type: ignore[type-var]
    end = min(first["ts"].max(), second["ts"].max())  # type: ignore[type-var]
    a, b = (frame.filter(pl.col("ts").is_between(start, end)) for frame in (first, second))
    scale = pl.col("value_second").abs() if relative else pl.lit(1.0)
    joined = a.join(b, on="ts", suffix="_second").with_columns(
        difference=(pl.col("value") - pl.col("value_second")).abs() / scale
    )
    if joined.is_empty():
        return Disagreement(0, a.height, b.height, math.nan, math.nan, 0, [])
    beyond = joined.filter(~(pl.col("difference") <= tolerance))
    return Disagreement(
        matched=joined.height,
        only_first=a.height - joined.height,
        only_second=b.height - joined.height,
        median=float(joined["difference"].median()),  # type: ignore[arg-type]
        worst=float(joined["difference"].max()),  # type: ignore[arg-type]
        beyond=beyond.height,
        examples=beyond.sort("difference", descending=True).head(5).to_dicts(),
    )


def _changes(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("ts").select("ts", change=pl.col("value").diff()).drop_nulls()


def _correlation(a: pl.DataFrame, b: pl.DataFrame, lag_ns: int) -> tuple[float, int]:
    joined = a.join(b.with_columns(pl.col("ts") + lag_ns), on="ts", suffix="_second")
    if joined.height < _LEAST_MATCHES:
        return math.nan, joined.height
    value = joined.select(pl.corr("change", "change_second")).item()
    return math.nan if value is None else float(value), joined.height
