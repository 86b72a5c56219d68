"""What one dataset of the lake says against another, over a range of days, as one outcome of a check.

A check that cannot be made, because the lake holds only one side, passes and says so. What does not belong here: Dagster,
and the comparisons themselves (`hean_pipelines.quality`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from hean_pipelines.defs.market_data.checks import Outcome
from hean_pipelines.quality.bars import bars_from_trades
from hean_pipelines.quality.comparing import (
    HOUR_NS,
    contract_spread,
    disagreement,
    time_zone_shift,
    unit_factor,
)
from hean_pipelines.quality.stamps import outages, venue_outages
from hean_pipelines.resources.lake import Lake
from models.errors import DataError
from models.market.symbols import candidates, contract_of

Span = tuple[date, date]
BAR_NS = 300 * 10**9
PRICE_TOLERANCE = 0.01
"""Closes of two venues this far apart are an event or a fault; in two years of hourly BTC bars a handful were."""
FUNDING_TOLERANCE = 3e-4
BARS_TOLERANCE = 1e-6
_MOST_BEYOND = 0.01
_NOTHING = "the lake holds no symbol of both in these days: nothing to compare"


def klines_of_two_venues(lake: Lake, span: Span) -> Outcome:
    """Hold Bybit's five-minute closes against Binance's: time zone, unit, prices."""
    found = {}
    for symbol, first, second in _pairs(
        lake, "raw_bybit__5m_perp_klines", "raw_binance__5m_perp_klines", span, "close"
    ):
        found[symbol] = _compared(first, second, PRICE_TOLERANCE, relative=True)
    return _judged(found, "Bybit's and Binance's closes to agree")


def funding_of_two_venues(lake: Lake, span: Span) -> Outcome:
    """Hold Bybit's settled rates against Binance's: time zone and rates; venues do differ, a lot of difference is a fault."""
    names = ("raw_bybit__settlement_funding", "raw_binance__settlement_funding")
    found = {}
    for symbol, first, second in _pairs(lake, *names, span, "funding_rate"):
        rounded = second.with_columns((pl.col("ts") + 5 * 10**8) // 10**9 * 10**9)
        found[symbol] = _compared(first, rounded, FUNDING_TOLERANCE, relative=False)
    return _judged(found, "Bybit's and Binance's settled rates to agree", most_beyond=0.2)


def trades_against_bars(lake: Lake, span: Span) -> Outcome:
    """Hold bars made of Bybit's daily files against the bars its REST gave of the same days: closes and volumes."""
    found: dict[str, dict[str, Any]] = {}
    for symbol in _both(lake, "raw_bybit__trades", "raw_bybit__5m_perp_klines"):
        for day in lake.dates("raw_bybit__trades", symbol, *span):
            told = lake.read_partition("raw_bybit__5m_perp_klines", symbol, day)
            if told.is_empty():
                continue
            made = bars_from_trades(lake.read_partition("raw_bybit__trades", symbol, day), BAR_NS)
            told = told.filter(
                pl.col("volume") > 0
            )  # the venue repeats the last close where nothing was traded
            for column in ("close", "volume"):
                each = disagreement(_series(made, column), _series(told, column), BARS_TOLERANCE)
                found[f"{symbol} {day} {column}"] = {
                    "matched": each.matched,
                    "beyond": each.beyond,
                    "only_in_files": each.only_first,
                    "only_in_rest": each.only_second,
                    "worst": each.worst,
                    "examples": each.examples,
                    "fault": ""
                    if not (each.beyond or each.only_first or each.only_second)
                    else "they differ",
                }
    outcome = _judged(found, "bars made of the daily files to be those of REST", most_beyond=0.0)
    # A trade at the edge of a bar may be counted in the next: a difference is reported, it is no proof of a fault.
    return replace(outcome, warn=True)


def okx_in_coins(lake: Lake, span: Span) -> Outcome:
    """Tell whether OKX's open interest in coins is in contracts, by all symbols that Binance has too."""
    values, ratios = _okx_values(lake, span), {}
    for symbol in lake.symbols("raw_okx__snapshot_open_interest"):
        own = lake.scan("raw_okx__snapshot_open_interest", [symbol], *span).select(pl.col("coins").median())
        coins = own.collect().item()
        for other in candidates("binance", contract_of("okx", symbol)):
            theirs = lake.scan("raw_binance__5m_open_interest", [other], *span)
            amount = theirs.select(pl.col("open_interest").median()).collect().item()
            if coins and amount and symbol in values:
                ratios[symbol] = coins / (amount * contract_of("binance", other).multiplier)
    if len(ratios) < 2:
        return Outcome(
            True, "fewer than two symbols of both venues in these days: nothing to compare", warn=True
        )
    spread = contract_spread(ratios, values)
    words = "expected OKX's coins to be coins"
    if spread.lacks_multiplier:
        words += ", was contracts: multiplied by their value they fit Binance's"
    metadata = {"ratios": ratios, "as_stated": spread.as_stated, "multiplied": spread.multiplied}
    return Outcome(not spread.lacks_multiplier, words, metadata=metadata)


def holes_of_the_venue(lake: Lake, dataset: str, span: Span) -> Outcome:
    """List stretches missing of every symbol that has rows on both ends: an outage of the venue or of the ingestion."""
    holes = {}
    for symbol in lake.symbols(dataset):
        ts = lake.scan(dataset, [symbol], *span).select(pl.col("ts").unique().sort()).collect().to_series()
        if ts.len() > 1:
            holes[symbol] = outages(ts.to_numpy(), BAR_NS)
    found = venue_outages(holes, BAR_NS)
    shown = [f"{_iso(each.start_ns)} to {_iso(each.end_ns)}, {each.missing} bars" for each in found[:20]]
    words = "expected no stretch missing of every symbol" + (f", was {len(found)}" if found else "")
    return Outcome(not found, words, warn=True, metadata={"symbols": len(holes), "outages": shown})


def _compared(
    first: pl.DataFrame, second: pl.DataFrame, tolerance: float, *, relative: bool
) -> dict[str, Any]:
    try:
        shift = time_zone_shift(first, second)
    except DataError as error:
        return {"matched": 0, "beyond": 0, "fault": "", "not_compared": str(error)}
    each = disagreement(first, second, tolerance, relative=relative)
    fault = f"stamps {shift.lag_ns / HOUR_NS:+g} h apart" if shift.is_shifted else ""
    if relative and not fault:
        unit = unit_factor(first, second)
        fault = f"another unit, ratio {unit.ratio:g}" if unit.is_another_unit else ""
    return {
        "matched": each.matched,
        "beyond": each.beyond,
        "median": each.median,
        "worst": each.worst,
        "correlation": shift.correlation,
        "examples": each.examples,
        "fault": fault,
    }


def _judged(found: dict[str, dict[str, Any]], words: str, *, most_beyond: float = _MOST_BEYOND) -> Outcome:
    if not found:
        return Outcome(True, _NOTHING, warn=True)
    faults = {name: each["fault"] for name, each in found.items() if each["fault"]}
    far = {
        name: f"{each['beyond']} of {each['matched']} beyond the tolerance"
        for name, each in found.items()
        if name not in faults and each["beyond"] > most_beyond * each["matched"]
    }
    wrong = faults | far
    shown = "; ".join(f"{name}: {fault}" for name, fault in list(wrong.items())[:10])
    return Outcome(
        not wrong,
        f"expected {words}" + (f", was {shown}" if wrong else ""),
        warn=not faults,
        metadata={"compared": len(found), "series": dict(list(found.items())[:50])},
    )


def _pairs(
    lake: Lake, one: str, other: str, span: Span, column: str
) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    for symbol in _both(lake, one, other):
        frames = [
            lake.scan(name, [symbol], *span).select("ts", value=column).collect() for name in (one, other)
        ]
        first, second = (frame.drop_nulls().unique("ts").sort("ts") for frame in frames)
        if first.height and second.height:
            yield symbol, first, second


def _both(lake: Lake, one: str, other: str) -> list[str]:
    return sorted(set(lake.symbols(one)) & set(lake.symbols(other)))


def _okx_values(lake: Lake, span: Span) -> dict[str, float]:
    rows = lake.scan("raw_okx__snapshot_instruments", None, *span).sort("seen_at")
    last = rows.group_by("symbol").agg(pl.col("contract_value").last()).collect()
    return {symbol: value for symbol, value in last.iter_rows() if value}


def _series(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.select("ts", value=column)


def _iso(at_ns: int) -> str:
    return str(pl.from_epoch(pl.Series([at_ns]), "ns").dt.to_string("%Y-%m-%dT%H:%MZ")[0])
