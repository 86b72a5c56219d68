"""The head of the page and its cards."""

from __future__ import annotations

from typing import Any

from hean_pipelines.report.backtest.words import (
    Document,
    cautions,
    duration,
    interval,
    tone,
    value,
    why_no_trades,
)
from hean_pipelines.report.blocks import Block, Card, Cards, Note, Section
from hean_pipelines.report.text import ABSENT, moment, number, percent, plural


def facts(document: Document) -> list[tuple[str, str]]:
    """Return the head of the page as pairs of what and which."""
    plan, tape, venue = document["plan"], document["tape"], document["plan"]["venue"]
    source = ", ".join(plan["tapes"])
    if plan["market"] != "recorded":
        kind = "slow synthetic" if plan["market"] == "slow" else "synthetic"
        source = f"{kind}, scenario {plan['scenario']}, seed {plan['seed']}"
    latency = f"lognormal {venue['entry_min_ms']:g} to {venue['entry_max_ms']:g} ms each way"
    if venue["latency_model"] == 0:
        latency = f"{venue['entry_median_ms']:g} ms in, {venue['response_median_ms']:g} ms out"
    return [
        ("Strategy", f"{plan['strategy']} ({plan['system']})"),
        ("Symbol", plan["symbol"]),
        ("Tape", source),
        ("Span", f"{moment(tape['first_local_ts'])} to {moment(tape['last_local_ts'])}"),
        ("Capital", f"{number(plan['capital_usd'], 0)} USD"),
        ("Latency", latency),
        ("Queue", venue["queue_model"]),
        (
            "Fees",
            f"maker {number(venue['maker_fee'] * 1e4, 2)} bps, taker {number(venue['taker_fee'] * 1e4, 2)} bps",
        ),
    ]


def caution(document: Document) -> str:
    """Say what the numbers are not."""
    common = (
        "Orders were simulated: nobody reacted to them, and what they took was there again for the next one."
    )
    if document["plan"]["market"] != "recorded":
        return (
            "The market is synthetic, with planted effects of known size. The figures say whether the strategy finds what was "
            f"planted and what trading it costs; they promise nothing about a real market. {common}"
        )
    return f"The market is a recording. {common} One stretch of the past promises nothing about the future."


def build(document: Document) -> Section:
    """Return the cards and what must be known before them."""
    blocks: list[Block] = []
    if not document["figures"]["trades"]:
        blocks.append(Note(f"No trades. {why_no_trades(document)}", "warning"))
    blocks += [Note(words, "warning") for words in cautions(document)]
    blocks.append(Cards(_cards(document["figures"], document["plan"]["capital_usd"])))
    return Section("summary", "Summary", "", blocks)


def _cards(figures: Document, capital: float) -> list[Card]:
    net, bps, hits = figures["net_trades_usd"], figures["net_bps"], figures["hit_rate"]
    hit_words = ""
    if hits is not None and hits["low"] is not None:
        hit_words = f"95 % [{percent(max(hits['low'], 0.0))}, {percent(min(hits['high'], 1.0))}]"
    return [
        Card(
            "Net profit",
            f"{number(figures['net_usd'], 2, sign=True)} USD",
            (
                f"{percent(figures['net_usd'] / capital, 2)} of capital, after fees and funding",
                f"of the trades: {interval(net, 2)}" if net else "no trades",
            ),
            tone(net),
        ),
        Card(
            "Net a trade",
            f"{value(bps, 2)} bps" if bps else ABSENT,
            (interval(bps, 2), f"before fees {value(figures['gross_bps'], 2)} bps")
            if bps
            else ("no trades",),
            tone(bps),
        ),
        Card(
            "Trades",
            f"{figures['trades']:,}",
            (f"{figures['fills']:,} fills of {plural(figures['orders'], 'order')}", _holding(figures)),
        ),
        Card(
            "Hit rate",
            percent(None if hits is None else hits["value"]),
            (hit_words, "trades above zero after fees"),
        ),
        Card(
            "Profit factor",
            number(figures["profit_factor"], 2),
            ("won over lost, after fees" if figures["trades"] else "no trades",),
        ),
        _sharpe(figures["sharpe"]),
        _drawdown(figures["drawdown"]),
        Card(
            "Exposure",
            percent(figures["exposure"]["time_share"], 2),
            (
                "of the time with a position",
                f"mean {percent(figures['exposure']['mean'], 3)} of capital",
                f"largest {percent(figures['exposure']['largest'], 2)} of capital",
            ),
        ),
        Card("Turnover", f"{number(figures['turnover'], 2)} ×", ("value traded over capital",)),
        Card(
            "Fees",
            f"{number(figures['fees_usd'], 2)} USD",
            (f"profit before them {number(figures['gross_usd'], 2, sign=True)} USD",),
        ),
        Card("Funding", f"{number(figures['funding_usd'], 4)} USD", ("paid; negative was received",)),
        Card("Liquidations", f"{figures['liquidations']:,}", (), "bad" if figures["liquidations"] else ""),
        Card(
            "Dropped orders",
            f"{figures['dropped']:,}",
            ("below one lot, or too many open",),
            "bad" if figures["dropped"] else "",
        ),
    ]


def _holding(figures: Document) -> str:
    held = figures["mean_holding_s"]
    return "" if held is None else f"held {duration(held * 1e9)} on average"


def _sharpe(sharpe: dict[str, Any] | None) -> Card:
    if sharpe is None:
        return Card("Sharpe ratio", ABSENT, ("needs ten hours of equity that moves",))
    period = "daily" if sharpe["period_ns"] >= 86_400_000_000_000 else "hourly"
    told = {int(trials): share for trials, share in sharpe["probabilities"]}
    rest = ", ".join(f"{share:.2f} as the best of {trials}" for trials, share in told.items() if trials > 1)
    needed = (
        "no track record tells it from zero"
        if sharpe["track_record"] is None
        else f"{number(sharpe['track_record'], 0)} periods tell it from zero"
    )
    return Card(
        "Sharpe ratio, a year",
        number(sharpe["annual"], 2),
        (
            f"{sharpe['periods']} {period} returns; {needed}",
            f"P(above zero) {told[1]:.2f} if this was the only run; deflated: {rest}",
        ),
    )


def _drawdown(drawdown: dict[str, Any] | None) -> Card:
    if drawdown is None:
        return Card("Largest drawdown", "none")
    ended = "recovered" if drawdown["is_recovered"] else "not recovered"
    return Card(
        "Largest drawdown",
        f"{number(drawdown['usd'], 2)} USD",
        (
            f"{percent(drawdown['share'], 2)} of the peak; {duration(drawdown['length_ns'])}, {ended}",
            f"longest below a peak {duration(drawdown['longest_ns'])}",
        ),
    )
