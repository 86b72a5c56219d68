"""The asset checks of `judges`: which is shown on which asset. Wiring only."""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.defs.market_data.check_assets import evaluated_days

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

_CHECKS = {
    ("raw_bybit__5m_perp_klines", "agrees_with_binance"): (
        "klines_of_two_venues",
        "Bars are of the same time zone and unit as Binance's, and their closes within 1 % nearly always.",
    ),
    ("raw_bybit__settlement_funding", "agrees_with_binance"): (
        "funding_of_two_venues",
        "Settlements are of the same time zone as Binance's, and rates within 3 bps mostly.",
    ),
    ("raw_bybit__trades", "agrees_with_klines"): (
        "trades_against_bars",
        "Bars made of the daily files have the closes and volumes of the bars REST gave.",
    ),
    ("raw_okx__snapshot_open_interest", "coins_are_not_contracts"): (
        "okx_in_coins",
        "Open interest in coins is not in contracts, by all symbols Binance has too.",
    ),
    ("raw_bybit__5m_perp_klines", "venue_outages"): (
        "bybit_holes",
        "No stretch is missing of every symbol at once.",
    ),
    ("raw_binance__5m_perp_klines", "venue_outages"): (
        "binance_holes",
        "No stretch is missing of every symbol at once.",
    ),
}


def quality_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the checks that hold datasets against each other; does no I/O."""
    return dg.Definitions(
        asset_checks=[
            _check(asset, name, judge, words, settings) for (asset, name), (judge, words) in _CHECKS.items()
        ]
    )


def _check(
    asset: str, name: str, judge: str, words: str, settings: "PipelineSettings"
) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=dg.AssetKey(asset), name=name, description=words)
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from hean_pipelines.defs.quality import judges
        from hean_pipelines.resources.lake import Lake

        lake = Lake(settings.lake_root)
        span = evaluated_days(lake, asset, dict(context.run.tags))
        if span is None:
            return dg.AssetCheckResult(passed=True, description="the lake holds no day of this dataset")
        chosen = {
            "klines_of_two_venues": judges.klines_of_two_venues,
            "funding_of_two_venues": judges.funding_of_two_venues,
            "trades_against_bars": judges.trades_against_bars,
            "okx_in_coins": judges.okx_in_coins,
            "bybit_holes": lambda *at: judges.holes_of_the_venue(at[0], "raw_bybit__5m_perp_klines", at[1]),
            "binance_holes": lambda *at: judges.holes_of_the_venue(
                at[0], "raw_binance__5m_perp_klines", at[1]
            ),
        }[judge]
        outcome = chosen(lake, span)
        return dg.AssetCheckResult(
            passed=outcome.passed,
            severity=dg.AssetCheckSeverity.WARN if outcome.warn else dg.AssetCheckSeverity.ERROR,
            description=outcome.description,
            metadata={"days": f"{span[0]} to {span[1]}", **outcome.metadata},
        )

    return check
