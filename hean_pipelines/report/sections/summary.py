"""The head of the page and its cards: what the data are, and the headline figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hean_pipelines.report.blocks import Block, Card, Cards, Note, Section
from hean_pipelines.report.sections.evidence import figure
from hean_pipelines.report.sections.trades import MODES, trades_of
from hean_pipelines.report.subject import POOLED, Subject
from hean_pipelines.report.text import ABSENT, moment, number, percent, plural, span

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def facts(inputs: Inputs, subject: Subject, venue_url: str) -> list[tuple[str, str]]:
    """Return the head of the page as pairs of what and which."""
    settled, coverage = inputs.frame("settlements"), inputs.frame("coverage")
    symbols = set(subject.symbols) | (
        {str(s) for s in settled["symbol"].unique()} if settled is not None else set()
    )
    rows = [("Market data", source_words(venue_url, inputs.market))]
    if settled is not None:
        stamps = settled["settlement_ts"].to_numpy()
        words = f"{span(int(stamps.min()), int(stamps.max()))}, {plural(settled.height, 'settlement')}"
        rows.append(("Funding history", words))
    forecasts = inputs.frame("forecasts")
    if forecasts is not None:
        stamps = forecasts["settlement_ts"].to_numpy()
        rows.append(("Forecast out of sample", span(int(stamps.min()), int(stamps.max()))))
    rows.append(("Symbols", ", ".join(sorted(symbols)) or "none in the files"))
    if coverage is not None:
        total = number(float(coverage["rows"].sum()), 0)
        rows.append(
            (
                "Lake",
                f"{total} rows, {percent(mean_share(coverage), 2)} of what is expected, mean of the datasets",
            )
        )
    champion = inputs.documents.get("champion", {})
    versions = [
        f"{k.removesuffix('_version')} {champion[k]}"
        for k in ("data_version", "code_version")
        if champion.get(k)
    ]
    if versions:
        rows.append(("Model made from", ", ".join(versions)))
    return rows


def mean_share(coverage: pl.DataFrame) -> float:
    """Return the share of the rows expected that is there, a dataset as much as any other.

    Of all rows together it would be that of trades, of which a day has more rows than all else, and one row is expected.
    """
    shares = [
        min(float(own["rows"].sum()) / max(float(own["expected_rows"].sum()), 1.0), 1.0)
        for own in coverage.partition_by("dataset")
    ]
    return sum(shares) / max(len(shares), 1)


def source_words(venue_url: str, market: str) -> str:
    """Say where market data come from, and what kind of place that is."""
    host = urlsplit(venue_url).hostname or venue_url
    if market:
        kind = f"the {market} market of the local testnet"
    elif host in _LOOPBACK:
        kind = "a local testnet: a synthetic or recorded market"
    elif "testnet" in host or "demo" in host:
        kind = "a testnet of the venue"
    else:
        kind = "public data of the venue's mainnet"
    return f"{kind} ({host})"


def caution(venue_url: str, market: str) -> str:
    """Say what the numbers are not."""
    orders = (
        "Orders go to a testnet only, so equity, fills and trades are testnet results: no money was at stake."
    )
    words = source_words(venue_url, market)
    if market.startswith("recorded"):
        return (
            f"Market data: {words}, served at replay speed. {orders} Neither promises anything about mainnet."
        )
    if "local testnet" in words or "a testnet" in words:
        return (
            f"Market data: {words}. Skill, evidence and profit on this page belong to that market; they are not mainnet results "
            f"and promise nothing about mainnet. {orders}"
        )
    return f"Market data: {words}, as the settings say now. {orders} Fills there do not promise fills on mainnet."


def build(inputs: Inputs, subject: Subject) -> Section:
    """Return the cards."""
    cards = [
        _champion(inputs, subject),
        *_skill(inputs, subject),
        _evidence(inputs),
        _trades(inputs),
        _equity(inputs),
    ]
    blocks: list[Block] = [Cards(cards)]
    absent = [source.path for source in inputs.sources.values() if source.problem]
    if absent:
        words = f"{len(absent)} of {len(inputs.sources)} inputs cannot be shown; their sections say why and what makes them: "
        blocks.append(Note(f"{words}{', '.join(absent)}.", "warning"))
    return Section("summary", "Summary", "", blocks)


def _champion(inputs: Inputs, subject: Subject) -> Card:
    body = inputs.documents.get("champion")
    if body is None:
        return Card("Champion", "none", (inputs.sources["champion"].words, subject.why), "bad")
    version = body.get("version")
    promotion: dict[str, Any] = body["promotion"] if isinstance(body["promotion"], dict) else {}
    p_value = promotion.get("p_value")
    lines = [
        f"{body.get('registered_model', 'model')} version {version}"
        if version is not None
        else "not registered"
    ]
    if body.get("trained_through_ns") is not None:
        lines.append(f"trained through {moment(int(body['trained_through_ns']))} UTC")
    if body.get("expires_at_ns") is not None:
        lines.append(f"expires {moment(int(body['expires_at_ns']))} UTC")
    moved = "promoted" if promotion.get("moved") else "kept"
    tested = f" (p = {number(p_value, 4)})" if isinstance(p_value, int | float) else ""
    lines.append(f"{moved}: {promotion.get('reason', 'no reason noted')}{tested}")
    if not subject.is_champion:
        lines.append(subject.why)
    return Card("Champion", str(body["name"]), tuple(lines))


def _skill(inputs: Inputs, subject: Subject) -> list[Card]:
    scores = inputs.frame("scores")
    label = f"R² {subject.horizon_min} min ahead"
    if scores is None:
        return [Card(label, ABSENT, (inputs.sources["scores"].words,))]
    found = {
        (r["model"], r["symbol"]): r
        for r in scores.iter_rows(named=True)
        if r["horizon_min"] == subject.horizon_min
    }
    cards = []
    for symbol in (*subject.symbols, POOLED):
        own = found.get((subject.model, symbol))
        if own is None:
            continue
        others = [
            f"{name} {number(found[name, symbol]['r2'], 2)}"
            for name in ("structural", "last_rate")
            if (name, symbol) in found and name != subject.model
        ]
        lines = (f"{subject.model}, n = {own['n']:,}", ", ".join(others))
        cards.append(
            Card(f"{label}, {'pooled' if symbol == POOLED else symbol}", number(own["r2"], 3), lines)
        )
    return cards


def _evidence(inputs: Inputs) -> Card:
    body = inputs.documents.get("evidence")
    if body is None:
        return Card("Study E1", ABSENT, (inputs.sources["evidence"].words,))
    rows = [row for row in body["rows"] if isinstance(row, dict)] if isinstance(body["rows"], list) else []
    pooled = next((row for row in rows if row.get("symbol") == POOLED), {})
    interval = f"[{number(figure(pooled, 'low'), 2)}, {number(figure(pooled, 'high'), 2)}]"
    words = f"pooled R² {number(figure(pooled, 'r2'), 2)} {interval}"
    passed = bool(body["passed"])
    return Card("Study E1", "passed" if passed else "not passed", (words,), "good" if passed else "bad")


def _trades(inputs: Inputs) -> Card:
    trades = trades_of(inputs)
    if inputs.sources["trades"].problem:
        return Card("Trades live / shadow", ABSENT, (inputs.sources["trades"].words,))
    counts, lines = [], []
    for mode in MODES:
        own = [t for t in trades if t["mode"] == mode]
        counts.append(f"{len(own):,}")
        net = float(sum(t["pnl_usd"] or 0.0 for t in own))
        lines.append(f"{mode}: {number(net, 2, sign=True)} USD net")
    return Card("Trades live / shadow", " / ".join(counts), tuple(lines))


def _equity(inputs: Inputs) -> Card:
    frame = inputs.frame("equity")
    if frame is None:
        return Card("Equity", ABSENT, (inputs.sources["equity"].words,))
    rows = frame.drop_nulls(["equity_usd"]).sort("at_ns")
    if rows.is_empty():
        return Card("Equity", ABSENT, ("holds no value",))
    first, last = float(rows["equity_usd"][0]), float(rows["equity_usd"][-1])
    lines = (
        f"{number(last - first, 2, sign=True)} USD since the first entry",
        f"at {moment(int(rows['at_ns'][-1]))} UTC",
    )
    return Card("Equity", f"{number(last, 2)} USD", lines)
