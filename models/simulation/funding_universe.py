"""The listed symbols of the synthetic market and the truth planted in each.

Here belong numbers only: listings that look like Bybit's, and the parameters of the processes of `funding_market`. A test or
a study may compare what it estimates with these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from models.simulation.listing import CONTINUOUS, Listing, Phase

BP = 1e-4
LAUNCH_MS = 1_577_836_800_000  # 2020-01-01: before any history that is generated
HOUR_MS = 3_600_000
_AUCTIONS = (("CallAuction", 0.0, 2.0), ("CallAuctionNoCancel", 2.0, 2.5), ("CrossMatching", 2.5, 3.0))
"""Phases before continuous trading with their hours since the first; source: the venue's enum `curAuctionPhase`."""


@dataclass(frozen=True, slots=True)
class Life:
    """When a symbol comes and goes, in hours after the generated market's start.

    `auction_h` starts a pre-listing's phases, of which the continuous one lasts until `finished_h`.
    """

    launched_h: float
    auction_h: float | None = None
    finished_h: float | None = None
    delisted_h: float | None = None

    def of(self, listing: Listing, start_ms: int) -> Listing:
        """Return the listing with the times of a market that starts at `start_ms`."""

        def at(hours: float) -> int:
            return start_ms + round(hours * HOUR_MS)

        phases: tuple[Phase, ...] = ()
        if self.auction_h is not None:
            phases = tuple(
                Phase(name, at(self.auction_h + first), at(self.auction_h + last))
                for name, first, last in _AUCTIONS
            )
            end = None if self.finished_h is None else at(self.finished_h)
            phases += (Phase(CONTINUOUS, at(self.auction_h + _AUCTIONS[-1][2]), end),)
        gone = None if self.delisted_h is None else at(self.delisted_h)
        return replace(listing, launch_ms=at(self.launched_h), phases=phases, delisted_ms=gone)


@dataclass(frozen=True, slots=True)
class PremiumTruth:
    """Planted parameters of a symbol's minute premium; fractions and minutes.

    The premium is ``mean + slow + fast + bursts``: a slow regime, a fast wobble that leans on the return of the minute, and
    bursts. `spot_bias` is the mean of ``spot/index − 1``; it drifts by `spot_bias_std`, so perp/spot − 1 is the premium minus a
    slowly moving offset.
    """

    mean: float
    slow_std: float
    slow_half_life: float
    fast_std: float
    fast_half_life: float
    bursts_per_day: float
    burst_size: float
    burst_half_life: float
    spot_bias: float
    spot_bias_std: float


@dataclass(frozen=True, slots=True)
class SyntheticSymbol:
    """Everything that defines one synthetic symbol.

    `daily_volatility` is that of the index in a calm-to-normal mix; `market_share` the correlation of its returns with the
    common factor; `minute_volume_usd`, `open_interest_usd` and `touch_depth_usd` set the size of its trading; `dynamic_interval`
    says whether a settlement at the cap makes the following ones hourly, as the venue does for all but its largest symbols;
    `life` when it comes and goes, None for what is there from before the start.
    """

    listing: Listing
    start_price: float
    premium: PremiumTruth
    daily_volatility: float
    market_share: float
    minute_volume_usd: float
    open_interest_usd: float
    touch_depth_usd: float
    dynamic_interval: bool
    life: Life | None = None


def _listing(
    symbol: str,
    steps: tuple[str, str, str, str],
    max_leverage: str,
    interval_h: int,
    cap: str,
    index_decimals: int,
) -> Listing:
    tick, step, max_qty, max_market = steps
    return Listing(
        symbol=symbol,
        base_coin=symbol.removesuffix("USDT"),
        tick_size=Decimal(tick),
        qty_step=Decimal(step),
        min_order_qty=Decimal(step),
        max_order_qty=Decimal(max_qty),
        max_market_qty=Decimal(max_market),
        min_notional_usd=Decimal("5"),
        max_leverage=Decimal(max_leverage),
        interval_h=interval_h,
        funding_cap=Decimal(cap),
        index_decimals=index_decimals,
        launch_ms=LAUNCH_MS,
    )


UNIVERSE: dict[str, SyntheticSymbol] = {
    item.listing.symbol: item
    for item in (
        SyntheticSymbol(
            _listing("BTCUSDT", ("0.10", "0.001", "1190.000", "500.000"), "100.00", 8, "0.00375", 2),
            95_000.0,
            PremiumTruth(-5.1 * BP, 3.2 * BP, 900, 3.4 * BP, 22, 1.0, 11 * BP, 100, 0.4 * BP, 0.2 * BP),
            0.022, 0.90, 6e6, 5.0e9, 400_000, False,
        ),
        SyntheticSymbol(
            _listing("ETHUSDT", ("0.01", "0.01", "7500.00", "1500.00"), "100.00", 8, "0.00375", 2),
            3_300.0,
            PremiumTruth(-5.4 * BP, 3.6 * BP, 800, 4.2 * BP, 22, 1.0, 13 * BP, 100, 0.3 * BP, 0.25 * BP),
            0.032, 0.85, 3e6, 2.6e9, 250_000, False,
        ),
        SyntheticSymbol(
            _listing("SOLUSDT", ("0.010", "0.1", "79770.0", "8000.0"), "100.00", 8, "0.0075", 3),
            190.0,
            PremiumTruth(-5.8 * BP, 4.2 * BP, 700, 6.0 * BP, 22, 1.4, 12 * BP, 90, 0.6 * BP, 0.3 * BP),
            0.045, 0.80, 1e6, 9.0e8, 100_000, True,
        ),
        SyntheticSymbol(
            _listing("XRPUSDT", ("0.0001", "0.1", "3000000.0", "600000.0"), "75.00", 8, "0.0075", 5),
            2.4,
            PremiumTruth(-5.8 * BP, 4.4 * BP, 700, 6.0 * BP, 22, 1.4, 12 * BP, 90, 0.4 * BP, 0.3 * BP),
            0.042, 0.75, 8e5, 6.0e8, 80_000, True,
        ),
        SyntheticSymbol(
            _listing("DOGEUSDT", ("0.00001", "1", "20000000", "4000000"), "75.00", 8, "0.0075", 6),
            0.34,
            PremiumTruth(-6.0 * BP, 5.2 * BP, 600, 7.0 * BP, 22, 1.4, 16 * BP, 100, 0.5 * BP, 0.3 * BP),
            0.050, 0.75, 6e5, 5.0e8, 60_000, True,
        ),
        SyntheticSymbol(
            _listing("WIFUSDT", ("0.0001", "1", "1600000", "320000"), "50.00", 4, "0.0050", 5),
            1.8,
            PremiumTruth(-4.5 * BP, 6.0 * BP, 500, 8.0 * BP, 20, 1.0, 22 * BP, 110, 1.0 * BP, 0.5 * BP),
            0.070, 0.65, 8e4, 6.0e7, 6_000, True,
        ),
        SyntheticSymbol(
            _listing("HYPEUSDT", ("0.001", "0.01", "60000.00", "12000.00"), "75.00", 1, "0.0025", 4),
            24.0,
            PremiumTruth(-5.5 * BP, 6.0 * BP, 500, 6.0 * BP, 20, 1.0, 18 * BP, 110, 0.8 * BP, 0.4 * BP),
            0.060, 0.60, 1.5e5, 1.2e8, 12_000, False,
        ),
        SyntheticSymbol(
            _listing("ADAUSDT", ("0.0001", "1", "8000000", "1600000"), "75.00", 8, "0.0075", 5),
            0.75,
            PremiumTruth(-5.8 * BP, 4.6 * BP, 650, 6.0 * BP, 22, 1.3, 13 * BP, 100, 0.5 * BP, 0.3 * BP),
            0.045, 0.78, 5e5, 3.0e8, 50_000, True,
        ),
        SyntheticSymbol(
            _listing("LINKUSDT", ("0.001", "0.1", "400000.0", "80000.0"), "50.00", 8, "0.0075", 4),
            16.0,
            PremiumTruth(-5.6 * BP, 4.6 * BP, 650, 6.0 * BP, 22, 1.3, 13 * BP, 100, 0.5 * BP, 0.3 * BP),
            0.048, 0.78, 3e5, 2.0e8, 40_000, True,
        ),
        SyntheticSymbol(
            _listing("LTCUSDT", ("0.01", "0.1", "90000.0", "18000.0"), "50.00", 8, "0.0075", 3),
            95.0,
            PremiumTruth(-5.5 * BP, 4.2 * BP, 700, 5.0 * BP, 22, 1.2, 12 * BP, 100, 0.4 * BP, 0.3 * BP),
            0.038, 0.80, 2e5, 1.5e8, 30_000, True,
        ),
        SyntheticSymbol(  # listed while the market runs, with funding beyond 0.3 % from its first hours
            _listing("FRESHUSDT", ("0.0001", "1", "1600000", "320000"), "25.00", 4, "0.0200", 5),
            0.9,
            PremiumTruth(95 * BP, 8.0 * BP, 500, 8.0 * BP, 20, 1.0, 22 * BP, 110, 1.0 * BP, 0.5 * BP),
            0.070, 0.40, 8e4, 2.0e7, 6_000, False, Life(73.0),
        ),
        SyntheticSymbol(  # comes by a pre-listing: auctions, then continuous trading
            _listing("AUCTIONUSDT", ("0.0001", "1", "1600000", "320000"), "5.00", 8, "0.0300", 5),
            1.4,
            PremiumTruth(-4.5 * BP, 6.0 * BP, 500, 8.0 * BP, 20, 1.0, 22 * BP, 110, 1.0 * BP, 0.5 * BP),
            0.070, 0.40, 8e4, 2.0e7, 6_000, False, Life(71.0, auction_h=74.0, finished_h=110.0),
        ),
        SyntheticSymbol(  # delisted while the market runs
            _listing("GONEUSDT", ("0.0001", "1", "1600000", "320000"), "25.00", 8, "0.0075", 5),
            0.6,
            PremiumTruth(-4.5 * BP, 6.0 * BP, 500, 8.0 * BP, 20, 1.0, 22 * BP, 110, 1.0 * BP, 0.5 * BP),
            0.070, 0.40, 8e4, 2.0e7, 6_000, False, Life(-8760.0, delisted_h=60.0),
        ),
    )
}  # fmt: skip

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT")
