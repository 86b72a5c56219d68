"""Marts of a small synthetic world, written straight into a lake: what training reads, without venue or warehouse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from hean_pipelines.resources.products import Products
from hean_pipelines.settings import PipelineSettings, load_settings
from models.funding.inputs import SOURCE_PREMIUM_INDEX, FundingInputs
from tests.funding.make_inputs import make_inputs


def settings_at(home: Path) -> PipelineSettings:
    return load_settings(home=home, universe=("AAAUSDT", "BBBUSDT"), partitions_start=date(2024, 1, 1))


def write_marts(settings: PipelineSettings, many: list[FundingInputs]) -> Products:
    """Export the five marts features read."""
    products = Products(settings.lake_root)
    products.write(
        products.mart("mart_bybit__settlement_funding"),
        _stack(many, settlement_ts="settlement_ts", funding_rate="rate", available_at="settlement_ts"),
    )
    premium = _stack(
        many,
        ts="premium_ts",
        bar_s="premium_bar_s",
        premium="premium",
        source="premium_source",
        available_at="premium_available_at",
    )
    named = (
        pl.when(pl.col("source") == SOURCE_PREMIUM_INDEX)
        .then(pl.lit("premium_index"))
        .otherwise(pl.lit("perp_spot"))
    )
    products.write(products.mart("mart_bybit__bar_premium"), premium.with_columns(named.alias("source")))
    products.write(
        products.mart("mart_bybit__5m_open_interest"),
        _stack(many, ts="oi_available_at", open_interest="open_interest", available_at="oi_available_at"),
    )
    products.write(
        products.mart("mart_bybit__account_ratio"),
        _stack(many, ts="ratio_available_at", long_ratio="long_ratio", available_at="ratio_available_at"),
    )
    products.write(
        products.mart("mart_bybit__funding_caps"),
        _stack(
            many,
            seen_at="caps_available_at",
            upper="cap_upper",
            lower="cap_lower",
            available_at="caps_available_at",
        ),
    )
    return products


def small_world(days: int) -> list[FundingInputs]:
    return [
        make_inputs(symbol, seed, ((float(days), 8),)) for seed, symbol in ((1, "AAAUSDT"), (2, "BBBUSDT"))
    ]


def _stack(many: list[FundingInputs], **columns: str) -> pl.DataFrame:
    frames = [
        pl.DataFrame({"symbol": [i.symbol] * len(getattr(i, next(iter(columns.values()))))}).with_columns(
            **{name: pl.Series(getattr(i, source)) for name, source in columns.items()}
        )
        for i in many
    ]
    return pl.concat(frames)
