"""What is wrong with a tape: order, fields, silences, and clocks that disagree. Found and said, never mended here.

Latency is `local_ts - exch_ts`, over rows the venue stamped. It is the sum of the true delay and of the offset between
two clocks, so its smallest value bounds the offset: a floor below zero proves that the recorder's clock runs behind
the venue's by at least that much; a floor that moves is drift, or a clock that was set.

What does not belong here: mending (`tape.shift_receive_time`, `tape.sort_stream`), the state of a book.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.market.tape import (
    BBO,
    DEPTH,
    KIND_NAMES,
    LIQUIDATION,
    NO_TIME,
    SNAPSHOT,
    TRADE,
    Events,
)

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_HALF_RANGE_MS: Final = 10_000
_BLOCK_NS: Final = 10 * _NS_PER_S
_DRIFT_BLOCKS: Final = 30
_DRIFT_PROBLEM_PPM: Final = 100.0
_SIDED: Final = (TRADE, DEPTH, SNAPSHOT, BBO, LIQUIDATION)


@dataclass(frozen=True)
class TapeReport:
    """What a tape holds and what is wrong with it.

    Latencies are nanoseconds; None where no row has a venue time. Median and 99th percentile are accurate to 1 ms
    and clipped to ±10 s, smallest and largest are exact. `clock_drift_ppm` is the slope of the smallest latency over
    stretches of 10 s, in microseconds per second; None under 30 stretches.
    """

    events: int
    counts: dict[str, int]
    first_local_ts: int | None
    last_local_ts: int | None
    out_of_order: int
    largest_step_back_ns: int
    longest_silence_ns: int
    unknown_kinds: int
    bad_sides: int
    bad_prices: int
    bad_sizes: int
    without_exch_ts: int
    negative_latencies: int
    latency_min_ns: int | None
    latency_median_ns: int | None
    latency_p99_ns: int | None
    latency_max_ns: int | None
    clock_drift_ppm: float | None

    @property
    def clock_behind_ns(self) -> int:
        """How far, at least, the recorder's clock ran behind the venue's; 0 when nothing proves that it did."""
        return max(0, -(self.latency_min_ns or 0))

    @property
    def is_clean(self) -> bool:
        """Whether there is no problem to report."""
        return not self.problems()

    def problems(self) -> tuple[str, ...]:
        """Say what is wrong, a sentence each; empty when nothing is."""
        found = [
            f"{count} {what}"
            for count, what in (
                (self.unknown_kinds, "rows of an unknown kind"),
                (self.bad_sides, "trades, levels or liquidations whose side is neither +1 nor -1"),
                (self.bad_prices, "trades, levels or liquidations whose price is not a positive number"),
                (self.bad_sizes, "rows whose size is negative or not a number"),
            )
            if count
        ]
        if self.out_of_order:
            found.append(
                f"{self.out_of_order} rows received before the row above them, by up to {_seconds(self.largest_step_back_ns)}"
            )
        if self.negative_latencies:
            stamped = self.events - self.without_exch_ts
            found.append(
                f"{self.negative_latencies} of {stamped} rows received before the venue stamped them: the recorder's "
                f"clock ran at least {_seconds(self.clock_behind_ns)} behind the venue's"
            )
        if self.clock_drift_ppm is not None and abs(self.clock_drift_ppm) > _DRIFT_PROBLEM_PPM:
            found.append(f"smallest latency drifts by {self.clock_drift_ppm:.0f} microseconds per second")
        return tuple(found)


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / _NS_PER_S:.3f} s"


class TapeCheck:
    """Collects a `TapeReport` chunk by chunk in constant memory.

    Examples
    --------
    >>> check = TapeCheck()
    >>> check.update(events)
    >>> check.report().problems()
    ()

    """

    def __init__(self) -> None:
        self._counts: npt.NDArray[np.int64] = np.zeros(256, dtype=np.int64)
        self._histogram: npt.NDArray[np.int64] = np.zeros(2 * _HALF_RANGE_MS + 1, dtype=np.int64)
        self._first: int | None = None
        self._last: int | None = None
        self._disorder = self._step_back = self._silence = 0
        self._bad_sides = self._bad_prices = self._bad_sizes = 0
        self._stamped = self._negative = 0
        self._min: int | None = None
        self._max: int | None = None
        self._block: int | None = None
        self._block_floor = 0
        self._floors: npt.NDArray[np.float64] = np.zeros(
            5
        )  # n, sum x, sum y, sum x², sum xy of finished stretches

    def update(self, events: Events) -> None:
        """Look at the next chunk."""
        if not events.size:
            return
        self._check_order(events["local_ts"])
        self._check_fields(events)
        stamped = events["exch_ts"] != NO_TIME
        local = events["local_ts"][stamped]
        self._check_latency(local, local - events["exch_ts"][stamped])

    def _check_order(self, local: npt.NDArray[np.int64]) -> None:
        previous = self._last if self._last is not None else int(local[0])
        steps = np.diff(local, prepend=previous)
        back = steps[steps < 0]
        self._disorder += int(back.size)
        if back.size:
            self._step_back = max(self._step_back, -int(back.min()))
        self._silence = max(self._silence, int(steps.max()))
        self._first = self._first if self._first is not None else int(local[0])
        self._last = int(local[-1])

    def _check_fields(self, events: Events) -> None:
        self._counts += np.bincount(events["kind"], minlength=256)
        sided = np.isin(events["kind"], _SIDED)
        self._bad_sides += int(np.count_nonzero(np.abs(events["side"][sided]) != 1))
        prices = events["price"][sided]
        self._bad_prices += int(np.count_nonzero(~(np.isfinite(prices) & (prices > 0))))
        sizes = events["size"]
        self._bad_sizes += int(np.count_nonzero(~(np.isfinite(sizes) & (sizes >= 0))))

    def _check_latency(self, local: npt.NDArray[np.int64], latency: npt.NDArray[np.int64]) -> None:
        if not latency.size:
            return
        self._stamped += int(latency.size)
        self._negative += int(np.count_nonzero(latency < 0))
        low, high = int(latency.min()), int(latency.max())
        self._min = low if self._min is None else min(self._min, low)
        self._max = high if self._max is None else max(self._max, high)
        bins = np.clip(latency // _NS_PER_MS, -_HALF_RANGE_MS, _HALF_RANGE_MS) + _HALF_RANGE_MS
        self._histogram += np.bincount(bins, minlength=self._histogram.size)
        blocks = local // _BLOCK_NS
        starts = np.flatnonzero(np.diff(blocks, prepend=blocks[0] - 1))
        floors = np.minimum.reduceat(latency, starts)
        for block, floor in zip(blocks[starts].tolist(), floors.tolist(), strict=True):
            if block == self._block:
                self._block_floor = min(self._block_floor, floor)
                continue
            self._floors = self._floors_with_block()
            self._block, self._block_floor = block, floor

    def _floors_with_block(self) -> npt.NDArray[np.float64]:
        """Regression sums with the stretch at hand."""
        if self._block is None or self._first is None:
            return self._floors
        x = float(self._block - self._first // _BLOCK_NS) * _BLOCK_NS / _NS_PER_S
        y = float(self._block_floor) / 1000.0
        return np.asarray(self._floors + np.array([1.0, x, y, x * x, x * y]))

    def _drift_ppm(self) -> float | None:
        n, sx, sy, sxx, sxy = self._floors_with_block().tolist()
        spread = n * sxx - sx * sx
        return (n * sxy - sx * sy) / spread if n >= _DRIFT_BLOCKS and spread > 0 else None

    def _quantile_ns(self, share: float) -> int | None:
        if not self._stamped:
            return None
        at = int(np.searchsorted(np.cumsum(self._histogram), share * self._stamped))
        return (at - _HALF_RANGE_MS) * _NS_PER_MS

    def report(self) -> TapeReport:
        """Return the findings so far."""
        events = int(self._counts.sum())
        known = {name: int(self._counts[kind]) for kind, name in KIND_NAMES.items() if self._counts[kind]}
        return TapeReport(
            events=events,
            counts=known,
            first_local_ts=self._first,
            last_local_ts=self._last,
            out_of_order=self._disorder,
            largest_step_back_ns=self._step_back,
            longest_silence_ns=self._silence,
            unknown_kinds=events - sum(known.values()),
            bad_sides=self._bad_sides,
            bad_prices=self._bad_prices,
            bad_sizes=self._bad_sizes,
            without_exch_ts=events - self._stamped,
            negative_latencies=self._negative,
            latency_min_ns=self._min,
            latency_median_ns=self._quantile_ns(0.5),
            latency_p99_ns=self._quantile_ns(0.99),
            latency_max_ns=self._max,
            clock_drift_ppm=self._drift_ppm(),
        )


def check_tape(chunks: Events | Iterable[Events]) -> TapeReport:
    """Report on a tape given whole or as a stream of chunks."""
    check = TapeCheck()
    for chunk in [chunks] if isinstance(chunks, np.ndarray) else chunks:
        check.update(chunk)
    return check.report()
