"""From a market record (`models.market.record.MARKET`) to the facts gates ask about: fields by name, codes to labels."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from models.execution.market_gates import PriceHistory
from models.execution.sight import MarketSight
from models.gates.records import MarketFacts
from models.market.features.hurst import HURST_NAMES, TRUE_TREND


def market_facts(
    market: np.record | Mapping[str, float],
    sight: MarketSight,
    btc: PriceHistory,
) -> MarketFacts:
    """Read what gates need of a symbol.

    Parameters
    ----------
    market : record of MARKET, or mapping of feature names to values
    sight : MarketSight
    btc : PriceHistory

    Returns
    -------
    MarketFacts

    """
    return MarketFacts(
        sight,
        vpin=float(market["vpin"]),
        kyle_lambda_z=float(market["kyle_lambda_z"]),
        flow_imbalance=float(market["flow_imbalance"]),
        whale_cvd_usd=float(market["whale_cvd"]),
        whale_intensity=float(market["whale_intensity"]),
        retail_imbalance=float(market["retail_imbalance"]),
        hurst=_label(float(market["hurst_label"])),
        hurst_finer=_label(float(market["hurst_label_finer"])),
        btc=btc,
    )


def sight_of_record(market: np.record) -> MarketSight:
    """Return what a market record says of its own book, open interest, spread and VPIN; the spread's median and sigma unknown.

    Parameters
    ----------
    market : record of MARKET
        Of the tick that is judged.

    """
    return MarketSight(
        book_at_ns=int(market["book_at_ns"]),
        book_valid=bool(market["valid"] == 1),
        open_interest_at_ns=int(market["open_interest_at_ns"]),
        spread_bps=float(market["spread_bps"]),
        vpin_rank=float(market["vpin_rank"]),
        is_trend=bool(market["hurst_label_finer"] == TRUE_TREND),
    )


def _label(code: float) -> str:
    return "" if math.isnan(code) else HURST_NAMES[int(code)]
