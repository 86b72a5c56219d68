"""Plain records and strategies for tests of working orders: prices around 100, and what Hypothesis may draw."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import strategies as st

from models.execution.quotes import Layer, QuoteParams, QuoteSituation
from models.market.instruments import Instrument

NS = 1_000_000_000
NOW = 1_748_793_600 * NS


def instrument(
    tick: str = "0.1", step: str = "0.01", min_qty: str = "0.01", min_notional: str = "5"
) -> Instrument:
    return Instrument(
        symbol="ETHUSDT",
        status="Trading",
        base_coin="ETH",
        quote_coin="USDT",
        settle_coin="USDT",
        tick_size=D(tick),
        qty_step=D(step),
        min_order_qty=D(min_qty),
        max_order_qty=D(1000),
        min_notional_usd=D(min_notional),
        max_leverage=D(100),
        price_scale=1,
        funding_interval_min=480,
        upper_funding_rate=None,
        lower_funding_rate=None,
        launch_ns=0,
    )


def situation(
    qty: str = "1.00", side: int = 1, bid: str = "99.9", ask: str = "100.1", **changes: object
) -> QuoteSituation:
    fields = {"book_at_ns": NOW, "instrument": instrument(), **changes}
    return QuoteSituation(NOW, side, D(qty), D(bid), D(ask), **fields)  # type: ignore[arg-type]


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    return instrument(
        tick=draw(st.sampled_from(["0.01", "0.05", "0.1", "0.5", "1"])),
        step=draw(st.sampled_from(["0.001", "0.01", "0.1", "1", "5"])),
        min_qty=draw(st.sampled_from(["0.001", "0.01", "1", "10"])),
        min_notional=draw(st.sampled_from(["0", "5", "100"])),
    )


@st.composite
def situations(draw: st.DrawFn) -> QuoteSituation:
    """A valid book on the instrument's grid, and any wanted quantity, on a step or not."""
    found = draw(instruments())
    bid = draw(st.integers(1, 5000)) * found.tick_size
    ask = bid + draw(st.integers(1, 20)) * found.tick_size
    return QuoteSituation(
        now_ns=NOW,
        side=draw(st.sampled_from([1, -1])),
        qty=draw(st.decimals(0, 500, places=4)),
        bid=bid,
        ask=ask,
        book_at_ns=NOW,
        instrument=found,
    )


@st.composite
def layerings(draw: st.DrawFn) -> QuoteParams:
    depths = sorted(draw(st.sets(st.integers(0, 6), min_size=1, max_size=4)))
    parts = [draw(st.integers(1, 9)) for _ in depths]
    shares = [D(part) / D(sum(parts)).normalize() for part in parts[:-1]]
    # The last takes the rest, so that rounded shares still add up to one.
    rounded = [share.quantize(D("0.001")) for share in shares]
    layers = [Layer(d, s) for d, s in zip(depths, [*rounded, 1 - sum(rounded, D(0))], strict=True)]
    return QuoteParams(tuple(layers), requote_ticks=draw(st.integers(1, 4)))
