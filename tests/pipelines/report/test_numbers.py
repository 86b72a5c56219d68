"""The figures on the page are those of the files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hean_pipelines.report.build import build_report
from hean_pipelines.report.inputs import SPECS, load_inputs
from hean_pipelines.report.sections.summary import caution, source_words
from hean_pipelines.report.subject import choose_subject
from hean_pipelines.report.text import bps, number, percent
from tests.pipelines.report.page import Page, parse
from tests.pipelines.report.sample_home import CHAMPION, SYMBOLS


def read(home: Path, name: str) -> pl.DataFrame:
    path = home / "lake" / SPECS[name].path
    return pl.read_parquet(path if path.is_file() else f"{path}/**/*.parquet", hive_partitioning=False)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u200b", "")


def rows_of(page: Page, title: str) -> list[dict[str, str]]:
    return [{plain(k): plain(v) for k, v in row.items()} for row in page.table(title)]


def test_scores_stand_as_in_the_file(sample_home: Path, sample_page: Page) -> None:
    checked = 0
    for score in read(sample_home, "scores").iter_rows(named=True):
        pooled = score["symbol"] == "ALL"
        title = "Scores, all symbols pooled" if pooled else f"Scores, {score['symbol']}"
        [row] = [
            r
            for r in rows_of(sample_page, title)
            if r["model"] == score["model"] and r["group"].startswith(f"{score['horizon_min']} ")
        ]
        assert row["n"] == f"{score['n']:,}"
        assert row["R²"] == number(score["r2"], 3)
        assert row["MAE bps"] == f"{score['mae'] * 1e4:.3f}"
        assert row["pinball bps"] == f"{score['pinball'] * 1e4:.3f}"
        assert row["sign accuracy"] == f"{score['sign_accuracy'] * 100:.1f} %"
        assert row["in 5–95 %"] == f"{score['coverage_90'] * 100:.1f} %"
        checked += 1
    assert checked == 96


def test_error_ratios_are_on_the_settlements_both_models_share(sample_home: Path, sample_page: Page) -> None:
    frame = read(sample_home, "forecasts").filter(horizon_min=90, symbol="ETHUSDT")
    own = frame.filter(model="ridge").sort("settlement_ts")
    other = (
        frame.filter(model="last_rate")
        .join(own.select("settlement_ts"), on="settlement_ts")
        .sort("settlement_ts")
    )
    assert own.height == other.height < frame.filter(model="last_rate").height
    mae = [float((f["realised"] - f["predicted"]).abs().mean()) for f in (own, other)]
    row = next(r for r in rows_of(sample_page, "Scores, ETHUSDT") if r["model"] == "ridge")
    assert row["÷ last_rate MAE ratio"] == f"{mae[0] / mae[1]:.2f}"


def test_shared_r2_agrees_with_scikit_learn(sample_home: Path, sample_page: Page) -> None:
    from sklearn.metrics import r2_score

    frame = read(sample_home, "forecasts").filter(horizon_min=60, symbol="BTCUSDT")
    learned = frame.filter(model=CHAMPION).select("settlement_ts")
    part = frame.filter(model="structural").join(learned, on="settlement_ts")
    expected = r2_score(part["realised"].to_numpy(), part["predicted"].to_numpy())
    [row] = [
        r
        for r in rows_of(sample_page, "Scores, BTCUSDT")
        if r["model"] == "structural" and r["group"].startswith("60 ")
    ]
    assert row["R² shared"] == number(expected, 3)


def test_cards_carry_champion_evidence_trades_and_equity(sample_home: Path, sample_page: Page) -> None:
    cards = [
        " ".join(e.text.split())
        for e in sample_page.elements
        if "card" in e.attributes.get("class", "").split()
    ]
    scores = read(sample_home, "scores").filter(model=CHAMPION, horizon_min=90)
    trades, equity = read(sample_home, "trades"), read(sample_home, "equity").sort("at_ns")
    assert cards[0].startswith(f"Champion {CHAMPION} hean-funding version 3")
    assert "p = 0.0031" in cards[0]
    for symbol in (*SYMBOLS, "ALL"):
        r2 = number(scores.filter(symbol=symbol)["r2"].item(), 3)
        name = "pooled" if symbol == "ALL" else symbol
        assert any(card.startswith(f"R² 90 min ahead, {name} {r2} ") for card in cards)
    assert any(card.startswith("Study E1 passed pooled R² 0.42 [0.33, 0.51]") for card in cards)
    live, shadow = (trades.filter(mode=mode) for mode in ("live", "shadow"))
    words = f"Trades live / shadow {live.height} / {shadow.height} live: {number(live['pnl_usd'].sum(), 2, sign=True)} USD net"
    assert any(card.startswith(words) for card in cards)
    assert any(card.startswith(f"Equity {number(equity['equity_usd'][-1], 2)} USD") for card in cards)


def test_trades_split_into_price_funding_and_fees(sample_home: Path, sample_page: Page) -> None:
    rows = {r["mode"]: r for r in rows_of(sample_page, "Where the result comes from")}
    for mode in ("live", "shadow"):
        own = read(sample_home, "trades").filter(mode=mode)
        net, fees, funding = (own[c].sum() for c in ("pnl_usd", "fees_usd", "funding_usd"))
        assert rows[mode]["trades"] == str(own.height)
        assert rows[mode]["net PnL USD"] == number(net, 2, sign=True)
        assert rows[mode]["from funding USD"] == number(funding, 2, sign=True)
        assert rows[mode]["fees USD"] == number(-fees, 2, sign=True)
        assert rows[mode]["from price USD"] == number(net + fees - funding, 2, sign=True)


def test_last_trades_come_newest_first(sample_home: Path, sample_page: Page) -> None:
    trades = read(sample_home, "trades").sort("exit_ns", "trade_id", descending=True)
    rows = rows_of(sample_page, f"The last 25 trades of {trades.height}")
    assert len(rows) == 25
    for row, trade in zip(rows, trades.head(25).iter_rows(named=True), strict=True):
        assert (row["symbol"], row["mode"]) == (trade["symbol"], trade["mode"])
        assert row["PnL USD"] == number(trade["pnl_usd"], 3, sign=True)
        assert row["fees USD"] == number(trade["fees_usd"], 3)
        assert row["funding USD"] == number(trade["funding_usd"], 3, sign=True)
        assert row["rate forecast → paid bps"] == f"{bps(trade['predicted'])} → {bps(trade['realised_rate'])}"


def test_orders_and_blocks_are_counted(sample_home: Path, sample_page: Page) -> None:
    orders, events = read(sample_home, "orders"), read(sample_home, "events")
    rows = rows_of(sample_page, f"Orders by state ({orders.height} in all)")
    counted = orders.group_by("leg", "state").len()
    assert {(r["leg"], r["state"]): int(r["orders"]) for r in rows} == {
        (leg, state): n for leg, state, n in counted.iter_rows()
    }
    reasons = [json.loads(body)["reason"] for body in events["body"]]
    blocked = {
        r["reason"]: int(r["times"]) for r in rows_of(sample_page, f"Entries blocked ({events.height})")
    }
    assert blocked == {reason: reasons.count(reason) for reason in set(reasons)}


def test_executions_add_up(sample_home: Path, sample_page: Page) -> None:
    fills = read(sample_home, "fills")
    rows = {r["kind"]: r for r in rows_of(sample_page, "Executions")}
    for kind in ("trade", "funding"):
        own = fills.filter(kind=kind)
        assert own.height > 0
        assert rows[kind]["executions"] == str(own.height)
        assert rows[kind]["paid USD"] == number(own["fee_usd"].cast(pl.Float64).sum(), 3, sign=True)
    makers = fills.filter(kind="trade")["is_maker"].mean()
    assert (rows["trade"]["as maker"], rows["funding"]["as maker"]) == (plain(percent(makers)), "–")


def test_calibration_counts_hits(sample_home: Path, sample_page: Page) -> None:
    frame = read(sample_home, "forecasts").filter(model=CHAMPION, horizon_min=30, symbol="SOLUSDT")
    [row] = [
        r
        for r in rows_of(sample_page, "Hit shares")
        if r["symbol"] == "SOLUSDT" and r["group"].startswith("30 ")
    ]
    assert row["n"] == str(frame.height)
    assert row["below q05 nominal 5 %"] == plain(percent((frame["realised"] < frame["q05"]).mean()))
    assert row["above q95 nominal 5 %"] == plain(percent((frame["realised"] > frame["q95"]).mean()))
    assert row["median width of [q05, q95] bps"] == bps((frame["q95"] - frame["q05"]).median())


def test_live_forecasts_are_joined_to_settled_rates(sample_home: Path, sample_page: Page) -> None:
    made, settled = read(sample_home, "live_forecasts"), read(sample_home, "settlements")
    joined = made.join(settled, left_on=["symbol", "settlement_ns"], right_on=["symbol", "settlement_ts"])
    own = joined.filter(symbol="BTCUSDT")
    row = next(
        r for r in rows_of(sample_page, "Live error against what was promised") if r["symbol"] == "BTCUSDT"
    )
    assert row["n"] == str(own.height)
    assert row["MAE live bps"] == bps((own["funding_rate"] - own["predicted"]).abs().mean(), 3)
    promised = read(sample_home, "forecasts").filter(model=CHAMPION, horizon_min=90, symbol="BTCUSDT")
    assert row["MAE promised bps"] == bps((promised["realised"] - promised["predicted"]).abs().mean(), 3)


def test_matrix_shows_count_and_probability_of_every_cell(sample_home: Path, sample_page: Page) -> None:
    rows = {
        r["regime"]: r["S1"]
        for r in rows_of(sample_page, "Probability of a positive expected value, P(EV > 0)")
    }
    cells = {c["regime"]: c for c in read(sample_home, "matrix").iter_rows(named=True)}
    for regime, words in rows.items():
        if regime not in cells:
            assert words == "no trade"
            continue
        cell = cells[regime]
        assert words.startswith(number(cell["p_ev_positive"], 2))
        assert f"n = {cell['n']}" in words
        assert (
            f"EV {number(cell['ev_shrunk_usd'], 3, sign=True)} ± {number(cell['ev_sd_usd'], 3)} USD" in words
        )
    assert set(cells) < set(rows)


def test_coverage_adds_up(sample_home: Path, sample_page: Page) -> None:
    totals = (
        read(sample_home, "coverage").group_by("dataset", "symbol").agg(pl.col("rows", "expected_rows").sum())
    )
    rows = {(r["group"], r["symbol"]): r for r in rows_of(sample_page, "Rows by dataset and symbol")}
    assert len(rows) == totals.height
    for dataset, symbol, have, expected in totals.iter_rows():
        assert rows[dataset, symbol]["rows"] == f"{have:,}"
        assert rows[dataset, symbol]["share"] == plain(percent(have / expected, 2))


def test_header_names_range_symbols_and_source(sample_page: Page) -> None:
    text = plain(" ".join(sample_page.text.split()))
    assert "a local testnet: a synthetic or recorded market (127.0.0.1)" in text
    assert "2024-01-01 to 2024-03-01 (61 days), 540 settlements" in text
    assert "BTCUSDT, ETHUSDT, SOLUSDT" in text
    assert "they are not mainnet results" in text


@pytest.mark.parametrize(
    ("url", "market", "source", "warning"),
    [
        ("https://api.bybit.com", "", "public data of the venue's mainnet", "Fills there do not promise"),
        ("https://api-testnet.bybit.com", "", "a testnet of the venue", "not mainnet results"),
        ("http://127.0.0.1:1", "", "a local testnet", "not mainnet results"),
        (
            "http://127.0.0.1:1",
            "synthetic",
            "the synthetic market of the local testnet",
            "not mainnet results",
        ),
        ("http://127.0.0.1:1", "recorded:data", "the recorded:data market", "Neither promises anything"),
    ],
)
def test_source_of_market_data_is_said(url: str, market: str, source: str, warning: str) -> None:
    assert source in source_words(url, market)
    assert warning in caution(url, market)
    assert "no money was at stake" in caution(url, market)


def test_demo_summary_names_the_market(home: Path) -> None:
    (home / "demo").mkdir()
    (home / "demo" / "summary.json").write_text('{"market": "synthetic"}', encoding="utf-8")
    text = parse(build_report(home).read_text(encoding="utf-8")).text
    assert "the synthetic market of the local testnet" in text


def test_without_a_champion_the_best_model_stands_in_and_is_named_so(home: Path) -> None:
    (home / "lake" / SPECS["champion"].path).unlink()
    scores = read(home, "scores").filter(symbol="ALL", horizon_min=90).sort("r2", descending=True)
    subject = choose_subject(load_inputs(home, home / "lake"))
    assert (subject.model, subject.is_champion) == (scores["model"][0], False)
    assert "no champion is registered" in subject.why
    page = parse(build_report(home).read_text(encoding="utf-8"))
    assert "(not a registered champion)" in page.text


def test_a_champion_without_forecasts_is_not_passed_off(home: Path) -> None:
    champion = home / "lake" / SPECS["champion"].path
    champion.write_text(champion.read_text(encoding="utf-8").replace(CHAMPION, "oracle"), encoding="utf-8")
    page = parse(build_report(home).read_text(encoding="utf-8"))
    assert "the registered champion oracle has no forecasts here" in page.text
    assert page.faults == []


def test_odd_values_are_dashes_not_numbers(home: Path) -> None:
    lake = home / "lake"
    scores = read(home, "scores").with_columns(
        r2=pl.when(pl.col("symbol") == "BTCUSDT").then(float("nan")).otherwise("r2"),
        sign_accuracy=pl.lit(None, dtype=pl.Float64),
    )
    scores.write_parquet(lake / SPECS["scores"].path)
    body = json.loads((lake / SPECS["evidence"].path).read_text(encoding="utf-8"))
    body["rows"][0] |= {"r2": math.nan, "low": math.nan, "high": math.nan, "verdict": "not enough data"}
    (lake / SPECS["evidence"].path).write_text(json.dumps(body), encoding="utf-8")
    for path in (lake / SPECS["trades"].path).glob("**/*.parquet"):
        frame = pl.read_parquet(path)
        frame.with_columns(
            realised_rate=pl.lit(None, dtype=pl.Float64), regime=pl.lit(None, dtype=pl.String)
        ).write_parquet(path)
    page = parse(build_report(home).read_text(encoding="utf-8"))
    assert page.faults == []
    assert {r["R²"] for r in rows_of(page, "Scores, BTCUSDT")} == {"–"}
    assert {r["sign accuracy"] for r in rows_of(page, "Scores, ETHUSDT")} == {"–"}
    study = next(r for r in rows_of(page, "Study E1") if r["symbol"] == "BTCUSDT")
    assert (study["R²"], study["95 % interval"], study["verdict"]) == ("–", "–", "not enough data")
    assert "nan" not in page.text.lower().replace("finance", "")


def test_a_short_life_still_gives_a_page(home: Path) -> None:
    """One settled forecast, one equity point, one shadow trade and nothing blocked."""
    lake = home / "lake"
    first = read(home, "forecasts").filter(model="last_rate", symbol="BTCUSDT", horizon_min=90).head(1)
    first.write_parquet(lake / SPECS["forecasts"].path)
    for name, keep in {
        "equity": pl.col("at_ns") == read(home, "equity")["at_ns"].min(),
        "trades": pl.col("trade_id") == read(home, "trades").filter(mode="shadow")["trade_id"][0],
        "events": pl.col("kind") != "block",
        "live_forecasts": pl.lit(True),
    }.items():
        for path in (lake / SPECS[name].path).glob("**/*.parquet"):
            frame = pl.read_parquet(path)
            if name == "live_forecasts":
                frame = frame.with_columns(pl.col("settlement_ns") + 1)
            frame.filter(keep).write_parquet(path)
    page = parse(build_report(home).read_text(encoding="utf-8"))
    text = " ".join(page.text.split())
    assert page.faults == []
    assert "The equity holds 1 point; a curve needs two." in text
    assert "0 settled" in text
    assert "Not shown: what was blocked, and why. lake/raw_hean__events is without rows." in text
    assert np.all(["nan" not in row["PnL bps"] for row in rows_of(page, "The last 1 trade")])
