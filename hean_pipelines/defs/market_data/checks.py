"""What must be true of ingested market data. Pure functions over frames; `check_assets.py` wires them.

Every check returns an `Outcome` whose examples show the first offending rows. Frames are of one symbol, in the
order the files have them. What does not belong here: reading the lake, Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl

NS_PER_S = 1_000_000_000
WIDEST_FUNDING_CAP = 0.05
"""Largest cap the venue ever announced (pre-market contracts); no settled rate may exceed it."""
_EXAMPLES = 5
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Outcome:
    """Whether a check passed, in words, with counts and examples; `warn` marks one that need not stop anything."""

    passed: bool
    description: str
    warn: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)


def check_gaps(frame: pl.DataFrame, time: str, cadence_s: int) -> Outcome:
    """Pass if no two neighbouring rows are further apart than `cadence_s`.

    Ends of the range are not judged: a symbol may have been listed inside it. Venues do have outages: warning.
    """
    step = cadence_s * NS_PER_S
    gaps = (
        frame.lazy()
        .select(pl.col("symbol"), after=pl.col(time).shift(), before=pl.col(time))
        .with_columns(missing=(pl.col("before") - pl.col("after")) // step - 1)
        .filter(pl.col("before") - pl.col("after") > step)
        .collect()
    )
    missing = int(gaps["missing"].sum()) if gaps.height else 0
    return _outcome(
        gaps.select("symbol", after=_text("after"), before=_text("before"), missing="missing"),
        f"rows at least every {cadence_s} s",
        f"{gaps.height} gaps, about {missing} rows missing",
        warn=True,
        rows=frame.height,
        missing=missing,
    )


def check_duplicates(frame: pl.DataFrame, key: Sequence[str]) -> Outcome:
    """Pass if no two rows have the same key."""
    twice = frame.filter(pl.struct(*key).is_duplicated())
    return _outcome(
        twice, f"each {tuple(key)} once", f"{twice.height} rows share their key", rows=frame.height
    )


def check_order(frame: pl.DataFrame, time: str) -> Outcome:
    """Pass if rows stand in rising order of time."""
    back = frame.filter(pl.col(time) < pl.col(time).shift())
    return _outcome(
        back.with_columns(_text(time)),
        "rows in order of time",
        f"{back.height} rows are older than the one before",
        rows=frame.height,
    )


def check_values(frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> Outcome:
    """Pass if no row breaks a rule; `rules` maps its words to an expression that is true for good rows.

    A null counts as good: the venue gave no value. NaN never is.
    """
    broken = {}
    bad = pl.DataFrame()
    for words, good in rules.items():
        rows = frame.filter(~good.fill_null(True))
        if rows.height:
            broken[words] = rows.height
            bad = rows if bad.is_empty() else bad
    return _outcome(
        bad, "; ".join(rules) or "no rules", f"broken: {broken}", rows=frame.height, broken=broken
    )


def check_funding_caps(rates: pl.DataFrame, caps: pl.DataFrame) -> Outcome:
    """Pass if each rate lies within the caps last seen before its settlement.

    Parameters
    ----------
    rates : frame
        `ts, symbol, funding_rate` of one symbol.
    caps : frame
        `seen_at, symbol, upper_funding_rate, lower_funding_rate`; a rate settled before the first snapshot is
        held against the widest cap the venue ever announced. Caps change without notice: a warning.

    """
    seen = (
        caps.drop_nulls(["upper_funding_rate", "lower_funding_rate"]).sort("seen_at") if caps.height else caps
    )
    joined = rates.sort("ts").join_asof(
        seen, left_on="ts", right_on="seen_at", by="symbol", check_sortedness=False
    )
    upper = pl.col("upper_funding_rate").fill_null(WIDEST_FUNDING_CAP)
    lower = pl.col("lower_funding_rate").fill_null(-WIDEST_FUNDING_CAP)
    beyond = joined.filter(~pl.col("funding_rate").is_between(lower - 1e-12, upper + 1e-12))
    known = int(joined["upper_funding_rate"].is_not_null().sum())
    return _outcome(
        beyond.select("symbol", _text("ts"), "funding_rate", "lower_funding_rate", "upper_funding_rate"),
        "rates within the symbol's caps",
        f"{beyond.height} rates are beyond the caps",
        warn=True,
        rows=rates.height,
        held_against_seen_caps=known,
    )


def check_freshness(newest_ns: int | None, now_ns: int, allowed_s: int) -> Outcome:
    """Pass if the newest row is at most `allowed_s` older than the venue's clock when it was last asked."""
    if newest_ns is None:
        return Outcome(False, "expected rows, was none", warn=True)
    age_s = (now_ns - newest_ns) / NS_PER_S
    metadata = {"newest": _iso(newest_ns), "venue_time": _iso(now_ns), "age_s": age_s, "allowed_s": allowed_s}
    words = f"newest row is {age_s:.0f} s old, at most {allowed_s} s are allowed"
    return Outcome(age_s <= allowed_s, words, warn=True, metadata=metadata)


def merge(outcomes: Sequence[Outcome]) -> Outcome:
    """Join the outcomes of several symbols into one: passed if all did, numbers added, first examples kept."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    metadata: dict[str, Any] = {}
    for outcome in outcomes:
        for name, value in outcome.metadata.items():
            metadata[name] = _sum(metadata.get(name), value)
    if "examples" in metadata:
        metadata["examples"] = metadata["examples"][:_EXAMPLES]
    words = "; ".join(dict.fromkeys(outcome.description for outcome in failed[:_EXAMPLES] or outcomes[:1]))
    warn = any(outcome.warn for outcome in outcomes)
    return Outcome(not failed, words or "nothing to check", warn=warn, metadata=metadata)


def rules_for(dataset: str, columns: Sequence[str]) -> dict[str, pl.Expr]:
    """Return what values of a dataset may be, in words and as expressions that are true for good rows."""
    if "premium_index_klines" in dataset:
        # The venue's own rows have opens outside [low, high] here, so only the size is judged.
        return {f"|{name}| < 1": pl.col(name).abs() < 1 for name in _PRICES}
    if set(_PRICES) <= set(columns):
        rules = {f"{name} > 0": (pl.col(name) > 0) & pl.col(name).is_finite() for name in _PRICES}
        rules["low <= open, close <= high"] = pl.all_horizontal(
            pl.col("low") <= pl.min_horizontal("open", "close"),
            pl.col("high") >= pl.max_horizontal("open", "close"),
        )
        return rules | {
            f"{name} >= 0": pl.col(name) >= 0 for name in ("volume", "turnover") if name in columns
        }
    return dict(_RULES.get(dataset, {}))


_RULES: dict[str, dict[str, pl.Expr]] = {
    "raw_bybit__settlement_funding": {
        f"|funding_rate| <= {WIDEST_FUNDING_CAP}": pl.col("funding_rate").abs() <= WIDEST_FUNDING_CAP
    },
    "raw_bybit__5m_open_interest": {
        "open_interest >= 0": (pl.col("open_interest") >= 0) & pl.col("open_interest").is_finite()
    },
    "raw_bybit__1h_account_ratio": {
        "buy_ratio in [0, 1]": pl.col("buy_ratio").is_between(0, 1),
        "sell_ratio in [0, 1]": pl.col("sell_ratio").is_between(0, 1),
        "ratios add up to 1": (pl.col("buy_ratio") + pl.col("sell_ratio") - 1).abs() <= 0.01,
    },
    "raw_bybit__snapshot_instruments": {
        "steps > 0": (pl.col("tick_size") > 0) & (pl.col("qty_step") > 0),
        "lower cap < upper cap": pl.col("lower_funding_rate") < pl.col("upper_funding_rate"),
        "funding interval is 1 min to 8 h": pl.col("funding_interval_min").is_between(1, 480),
    },
    "raw_bybit__snapshot_mids": {
        "perpetual's bid < ask": pl.col("bid1_price") < pl.col("ask1_price"),
        "spot's bid < ask": pl.col("spot_bid1_price") < pl.col("spot_ask1_price"),
    },
    "raw_bybit__snapshot_tickers": {
        "prices > 0": (pl.col("last_price") > 0) & (pl.col("mark_price") > 0) & (pl.col("index_price") > 0),
        "bid < ask": pl.col("bid1_price") < pl.col("ask1_price"),
    },
}


def _outcome(bad: pl.DataFrame, expected: str, found: str, *, warn: bool = False, **counts: Any) -> Outcome:
    passed = bad.is_empty()
    metadata = {**counts, "examples": [] if passed else bad.head(_EXAMPLES).to_dicts()}
    words = f"expected {expected}" if passed else f"expected {expected}, was {found}"
    return Outcome(passed, words, warn, metadata)


def _sum(old: Any, new: Any) -> Any:
    if old is None or isinstance(new, str):
        return new
    if isinstance(new, dict):
        return {name: old.get(name, 0) + new.get(name, 0) for name in old | new}
    return old + new


def _text(column: str) -> pl.Expr:
    return pl.from_epoch(pl.col(column), "ns").dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ").alias(column)


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / NS_PER_S, UTC).isoformat()
