"""A state folder of invented, seeded numbers, for looking at the report and for testing it.

Nothing here is a result of HEAN: rates, forecasts, trades and coverage are drawn at random in the shape of the files the
pipelines write. `python -m tests.pipelines.report.sample_home FOLDER` makes one to look at.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from models.portfolio.policy import LIVE, OFF, SHADOW, Policy, Reason, StrategyPolicy, SymbolPolicy, to_text
from models.portfolio.roster import STRATEGIES
from models.regimes.rules import IMPULSE_UP

HOUR_NS = 3_600_000_000_000
MINUTE_NS = HOUR_NS // 60
START_NS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
MODELS = {  # how much of the surprise each knows, by symbol
    "last_rate": None,
    "indicative": 0.45,
    "ewma": None,
    "structural": 0.62,
    "structural_offset": 0.86,
    "ridge": 0.87,
    "lightgbm": 0.84,
    "lightgbm_residual": 0.89,
}
LEARNED = ("ridge", "lightgbm", "lightgbm_residual")
CHAMPION = "lightgbm_residual"
DAYS = 150
VENUE = "http://127.0.0.1:8765"  # so that the page never passes these numbers off as the venue's


def make_home(home: Path, days: int = DAYS) -> Path:
    """Write every input of the report below `home` and return it."""
    random = np.random.default_rng(20240101)
    lake = home / "lake"
    home.mkdir(parents=True, exist_ok=True)
    (home / "hean.toml").write_text(f'[pipelines]\nvenue_url = "{VENUE}"\n', encoding="utf-8")
    rates = {symbol: _rates(random, days, 1.0 + i) for i, symbol in enumerate(SYMBOLS)}
    forecasts = _forecasts(random, rates)
    _write(lake / "forecasts/out_of_sample.parquet", forecasts)
    _write(lake / "forecasts/scores.parquet", _scores(forecasts))
    _write_json(lake / "forecasts/champion.json", _champion(days))
    _write_json(lake / "evidence/e1.json", _evidence())
    _write(lake / "marts/mart_bybit__settlement_funding.parquet", _settlements(rates))
    _write(lake / "marts/mart_coverage__symbol_day.parquet", _coverage(random, days))
    _write(lake / "matrix/cells.parquet", _matrix(random))
    _write_json(lake / "learning/policy.json", _policy(START_NS + days * 24 * HOUR_NS))
    for name, frame in _journal(random, rates).items():
        for (date,), part in frame.with_columns(date=_day(frame)).group_by(["date"], maintain_order=True):
            folder = lake / f"raw_hean__{name}/venue=bybit/symbol=_ALL/date={date}"
            _write(folder / "data.parquet", part.drop("date"))
    return home


def add_steps_and_signals(home: Path) -> Path:
    """Write what a state folder holds where strategies were studied and shadowed; returns it."""
    for name, body in _first_steps(np.random.default_rng(7)).items():
        _write_json(home / f"lake/evidence/{name}.json", body)
    rows = [
        _signal(symbol, START_NS + 8 * HOUR_NS * i, (IMPULSE_UP, "RANGE")[i // 24 % 2], i)
        for i in range(1, 48)
        for symbol in SYMBOLS
    ]
    folder = home / "lake/raw_hean__events/venue=bybit/symbol=_ALL/date=2024-01-16"
    _write(folder / "signals.parquet", pl.DataFrame(rows))
    return home


def _day(frame: pl.DataFrame) -> pl.Series:
    return frame["available_at"].cast(pl.Datetime("ns")).dt.date().cast(pl.String)


def _write(path: Path, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)


def _write_json(path: Path, body: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body), encoding="utf-8")


def _rates(random: np.random.Generator, days: int, liveliness: float) -> np.ndarray:
    """Rates with the pile at 1 bps, some persistence and rare bursts."""
    n = days * 3
    premium = np.zeros(n)
    for i in range(1, n):
        shock = random.normal(0.0, 1.1) * liveliness + (
            random.normal(0, 9) if random.random() < 0.02 else 0.0
        )
        premium[i] = 0.82 * premium[i - 1] + shock
    premium += 2.0
    return (premium + np.clip(1.0 - premium, -5.0, 5.0)) * 0.7e-4 + 0.3e-4


def _stamps(n: int) -> np.ndarray:
    return START_NS + 8 * HOUR_NS * np.arange(1, n + 1)


def _forecasts(random: np.random.Generator, rates: dict[str, np.ndarray]) -> pl.DataFrame:
    frames = []
    for symbol, rate in rates.items():
        stamps, spread = _stamps(len(rate)), rate.std()
        last = np.r_[1e-4, rate[:-1]]
        for model, knows in MODELS.items():
            first = 90 if model in LEARNED else 0
            for horizon in (90, 60, 30):
                if knows is None:
                    predicted = last if model == "last_rate" else 0.5 * last + 0.5 * np.r_[1e-4, last[:-1]]
                else:
                    kept = 1.0 - (1.0 - knows) * (0.55 + horizon / 200)
                    noise = random.normal(0.0, spread * np.sqrt(1 - kept) * 0.75, len(rate))
                    predicted = rate + noise + (0.25 * spread if model == "structural" else 0.0)
                width = 1.6 * np.abs(rate - predicted).mean() + 1e-6
                frames.append(
                    pl.DataFrame(
                        {
                            "symbol": symbol,
                            "settlement_ts": stamps,
                            "horizon_min": np.full(len(rate), horizon),
                            "made_at": stamps - horizon * MINUTE_NS,
                            "model": model,
                            "predicted": predicted,
                            "q05": predicted - width,
                            "q50": predicted,
                            "q95": predicted + width,
                            "realised": rate,
                        }
                    )[first:]
                )
    return pl.concat(frames)


def _scores(forecasts: pl.DataFrame) -> pl.DataFrame:
    centred = forecasts.with_columns(
        centre=pl.col("realised").mean().over("model", "symbol", "horizon_min"),
        last=pl.col("realised").shift(1).over("model", "symbol", "horizon_min"),
    )
    pooled = centred.with_columns(symbol=pl.lit("ALL"))
    error = pl.col("realised") - pl.col("predicted")
    right = (pl.col("realised") - pl.col("last")).sign() == (pl.col("predicted") - pl.col("last")).sign()
    grouped = pl.concat([centred, pooled]).group_by("model", "symbol", "horizon_min", maintain_order=True)
    return grouped.agg(
        n=pl.len().cast(pl.Int64),
        r2=1 - (error**2).sum() / ((pl.col("realised") - pl.col("centre")) ** 2).sum(),
        mae=error.abs().mean(),
        sign_accuracy=right.filter((pl.col("realised") - pl.col("last")).abs() > 1e-9).mean(),
        pinball=error.abs().mean() * 0.4,
        coverage_90=pl.col("realised").is_between("q05", "q95").mean(),
    )


def _champion(days: int) -> dict[str, object]:
    end = START_NS + days * 24 * HOUR_NS
    return {
        "name": CHAMPION,
        "version": 3,
        "registered_model": "hean-funding",
        "trained_through_ns": end,
        "expires_at_ns": end + 14 * 24 * HOUR_NS,
        "data_version": "9f2c41d07a",
        "code_version": "sample",
        "promotion": {"moved": True, "reason": "forecasts better than version 2", "p_value": 0.0031},
    }


def _evidence() -> dict[str, object]:
    rows = [
        ("BTCUSDT", 450, 0.61, 0.48, 0.72, "passed"),
        ("ETHUSDT", 450, 0.44, 0.31, 0.58, "passed"),
        ("SOLUSDT", 450, 0.21, 0.08, 0.36, "failed"),
        ("ALL", 1350, 0.42, 0.33, 0.51, "passed"),
    ]
    keys = ("symbol", "n", "r2", "low", "high", "verdict")
    return {"study": "E1", "passed": True, "rows": [dict(zip(keys, row, strict=True)) for row in rows]}


def _policy(made_at_ns: int) -> dict[str, object]:
    """Return the policy the loops leave behind: three strategies live, one pinned off, one symbol on probation."""
    strategies = {
        name: StrategyPolicy(SHADOW, (Reason("SHADOW_TOO_FEW", "12 of 50 shadow trades"),), 0.0, 0.05)
        for name in STRATEGIES
    }
    strategies["funding_pressure"] = StrategyPolicy(
        LIVE,
        (Reason("PROMOTED", "studies E1, backtest and shadow"), Reason("STEP", "0.05 towards 0.12")),
        0.12,
        0.10,
    )
    strategies["hf_scalping"] = StrategyPolicy(
        LIVE, (Reason("RETAINED", "evidence still holds"),), 0.08, 0.10
    )
    strategies["momentum_trader"] = StrategyPolicy(LIVE, (Reason("PINNED_LIVE", "trial"),), 0.05, 0.05)
    strategies["sentiment"] = StrategyPolicy(OFF, (Reason("PINNED_OFF", "source changed"),), 0.0, 0.0)
    symbols = {
        "BTCUSDT": SymbolPolicy(
            1.5, made_at_ns - 30 * HOUR_NS, 1.0, 0, (Reason("BUFFER_RAISED", "1.0 to 1.5 bps"),)
        ),
        "SOLUSDT": SymbolPolicy(
            4.0,
            made_at_ns - 4 * HOUR_NS,
            0.2,
            made_at_ns - 9 * HOUR_NS,
            (Reason("PROBATION", "5 of 6 lost"),),
        ),
    }
    made = Policy(
        made_at_ns,
        made_at_ns + 48 * HOUR_NS,
        7,
        "0f" * 32,
        matrix_version="3",
        reasons=(Reason("TIER_SMALL", "10,012.31 USD of equity; capital for all strategies"),),
        strategies=strategies,
        symbols=symbols,
    )
    return {"version": 7, "is_held": False, "registered": 7, "document": to_text(made)}


def _first_steps(random: np.random.Generator) -> dict[str, dict[str, object]]:
    """Return what the first steps of the first twelve strategies say, of invented markets."""
    bodies: dict[str, dict[str, object]] = {}
    for place, name in enumerate(STRATEGIES[:12]):
        least = float(random.uniform(2.0, 40.0))
        low, worth, high = (least * value for value in sorted(random.normal(0.8, 1.5, 3).tolist()))
        verdict = "passed" if low > 0.0 else "failed" if worth <= 0.0 else "not enough data"
        kind = "recorded" if place % 3 == 0 else "synthetic"
        market = {
            "kind": kind,
            "name": "BTCUSDT of a sample" if kind == "recorded" else "planted truth, seed 1",
        }
        row = {"market": market, "verdict": verdict, "details": {"least_found_bps": least, "strategy": name}}
        bodies[f"s{place + 1}"] = {
            "study": f"S{place + 1}",
            "asks": f"what {name} lives on follows its signals",
            "passed": verdict == "passed",
            "verdict": verdict,
            "reason": f"a signal is worth {worth:+.1f} bps",
            "market": market,
            "estimate": worth,
            "low": low,
            "high": high,
            "n": int(random.integers(50, 900)),
            "rows": [row],
        }
    return bodies


def _settlements(rates: dict[str, np.ndarray]) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {"symbol": symbol, "settlement_ts": _stamps(len(rate)), "funding_rate": rate, "interval_h": 8.0}
        )
        for symbol, rate in rates.items()
    )


def _coverage(random: np.random.Generator, days: int) -> pl.DataFrame:
    expected = {
        "raw_bybit__settlement_funding": 3,
        "raw_bybit__5m_open_interest": 288,
        "raw_bybit__1h_account_ratio": 24,
        "raw_bybit__5m_perp_klines": 288,
        "raw_bybit__5m_spot_klines": 288,
        "raw_bybit__1m_premium_index_klines": 1440,
    }
    first = datetime(2024, 1, 1, tzinfo=UTC).date()
    rows = []
    for dataset, full in expected.items():
        for i, symbol in enumerate(SYMBOLS):
            for d in range(20 * i if "premium" in dataset else 0, days):
                got = full
                if dataset.endswith("open_interest") and 40 <= d < 47:
                    got = 0
                elif random.random() < 0.02 and full > 3:
                    got = int(full * random.uniform(0.2, 0.95))
                rows.append((dataset, symbol, first + timedelta(days=d), got, full, got / full))
    return pl.DataFrame(
        rows, schema=["dataset", "symbol", "date", "rows", "expected_rows", "share"], orient="row"
    )


def _matrix(random: np.random.Generator) -> pl.DataFrame:
    rows = []
    for strategy, cells in {
        "S1": (
            ("RANGE", 50, 0.9),
            ("IMPULSE_MARKUP", 31, -0.4),
            ("HIGH_ENTROPY", 6, 0.2),
            ("DISTRIBUTION", 14, 0.05),
        ),
    }.items():
        for regime, n, ev in cells:
            p = float(np.clip(0.5 + ev * np.sqrt(n) / 12, 0.01, 0.99))
            won = float(np.clip(0.5 + ev / 3, 0, 1))
            rows.append(
                {
                    "strategy": strategy,
                    "regime": regime,
                    "n": n,
                    "win_rate": won,
                    "mean_win_usd": 2.0,
                    "mean_loss_usd": 1.4,
                    "win_rate_low": max(won - 0.15, 0.0),
                    "win_rate_high": min(won + 0.15, 1.0),
                    "ev_usd": ev * 1.2,
                    "ev_shrunk_usd": ev,
                    "ev_sd_usd": float(1.5 / np.sqrt(n) + random.uniform(0, 0.05)),
                    "p_ev_positive": p,
                }
            )
    return pl.DataFrame(rows)


def _journal(random: np.random.Generator, rates: dict[str, np.ndarray]) -> dict[str, pl.DataFrame]:
    """Orders, fills, trades, events, equity and live forecasts of the last 20 days."""
    trades, orders, fills, events, forecasts = [], [], [], [], []
    n = len(next(iter(rates.values())))
    price = {"BTCUSDT": 43250.5, "ETHUSDT": 2510.25, "SOLUSDT": 98.775}
    for i in range(n - 60, n):
        settlement = int(_stamps(n)[i])
        for symbol, rate in rates.items():
            predicted = float(rate[i] + random.normal(0, 0.2 * rate.std()))
            forecasts.append(_live_forecast(symbol, settlement, predicted, float(rate.std())))
            if random.random() < 0.55:
                continue
            for mode in ("shadow", "live") if random.random() < 0.7 else ("shadow",):
                trades.append(
                    _trade(random, symbol, mode, settlement, price[symbol], predicted, float(rate[i]))
                )
            if trades[-1]["mode"] == "live":
                new = _orders(trades[-1], settlement, random.random())
                orders += new
                fills += [_fill(o, price[symbol]) for o in new if o["state"] == "filled"]
                fills.append(_payment(fills[-1], settlement, -float(trades[-1]["funding_usd"])))
            else:
                events.append(_block(random, symbol, settlement, len(events)))
    equity = _equity(random, trades, int(_stamps(n)[n - 60]) - HOUR_NS, int(_stamps(n)[-1]))
    schema = {"settlement_ns": pl.Int64}
    return {
        "trades": pl.DataFrame(trades),
        "orders": pl.DataFrame(orders),
        "fills": pl.DataFrame(fills),
        "events": pl.DataFrame(events),
        "equity": equity,
        "forecasts": pl.DataFrame(forecasts, schema_overrides=schema),
    }


def _live_forecast(symbol: str, settlement: int, predicted: float, spread: float) -> dict[str, object]:
    made = settlement - 90 * MINUTE_NS
    return {
        "symbol": symbol,
        "settlement_ns": settlement,
        "horizon_min": 90,
        "made_at_ns": made,
        "model_version": "3",
        "predicted": predicted,
        "q05": predicted - 0.4 * spread,
        "q50": predicted,
        "q95": predicted + 0.4 * spread,
        "available_at": made,
    }


def _trade(
    random: np.random.Generator,
    symbol: str,
    mode: str,
    settlement: int,
    price: float,
    predicted: float,
    rate: float,
) -> dict[str, object]:
    qty, side = round(900 / price, 3), -1 if predicted > 1e-4 else 1
    move = random.normal(0.0, 12e-4) - (0.5e-4 if mode == "live" else 0.0)
    fees, funding = 2 * 900 * 2e-4 if mode == "live" else 2 * 900 * 5.5e-4, -side * 900 * rate
    pnl = side * 900 * move - fees + funding
    exit_ns = settlement + 5 * MINUTE_NS
    return {
        "trade_id": f"{mode}-S1-{symbol}-{settlement}",
        "strategy": "S1",
        "symbol": symbol,
        "regime": str(random.choice(["RANGE", "IMPULSE_MARKUP", "HIGH_ENTROPY"])),
        "mode": mode,
        "side": side,
        "qty": str(qty),
        "entry_ns": settlement - 90 * MINUTE_NS,
        "entry_price": f"{price:.12f}",
        "exit_ns": exit_ns,
        "exit_price": f"{price * (1 + move):.12f}",
        "fees_usd": fees,
        "funding_usd": funding,
        "pnl_usd": pnl,
        "pnl_bps": pnl / 900 * 1e4,
        "predicted": predicted,
        "realised_rate": rate,
        "model_version": "3",
        "available_at": exit_ns,
    }


def _orders(trade: dict[str, object], settlement: int, luck: float) -> list[dict[str, object]]:
    states = [("entry", "filled"), ("exit", "filled"), ("stop", "cancelled")]
    if luck < 0.15:
        states.append(("entry", "cancelled"))
    if luck > 0.95:
        states.append(("entry", "rejected"))
    return [
        {
            "client_id": f"{trade['trade_id']}-{i}",
            "symbol": trade["symbol"],
            "strategy": "S1",
            "leg": leg,
            "state": state,
            "mode": "live",
            "side": trade["side"],
            "qty": trade["qty"],
            "decision_ns": settlement,
            "created_ns": settlement - 90 * MINUTE_NS,
            "updated_ns": settlement,
            "available_at": settlement,
        }
        for i, (leg, state) in enumerate(states)
    ]


def _fill(order: dict[str, object], price: float) -> dict[str, object]:
    return {
        "exec_id": f"x-{order['client_id']}",
        "client_id": order["client_id"],
        "symbol": order["symbol"],
        "side": order["side"],
        "qty": order["qty"],
        "price": str(price),
        "fee_usd": "0.18",
        "is_maker": 1 if order["leg"] == "entry" else 0,
        "kind": "trade",
        "at_ns": order["created_ns"],
        "available_at": order["created_ns"],
    }


def _payment(fill: dict[str, object], settlement: int, paid: float) -> dict[str, object]:
    changed = {"exec_id": f"f-{fill['exec_id']}", "kind": "funding", "is_maker": 0, "fee_usd": f"{paid:.8f}"}
    return {**fill, **changed, "at_ns": settlement, "available_at": settlement}


def _block(random: np.random.Generator, symbol: str, settlement: int, seq: int) -> dict[str, object]:
    at = settlement - 90 * MINUTE_NS
    reason, words = [
        ("SIZER_ZERO", "9.00 USD of risk at 2 % stop gives 0.0005, below the least quantity 0.001"),
        ("MATRIX_NEGATIVE", "S1 in IMPULSE_MARKUP: 31 trades, probability that it is positive 0.031 < 0.05"),
        ("EXPOSURE", "gross exposure would be 61.2 % of equity, at most 60 % is allowed"),
    ][int(random.choice(3, p=[0.6, 0.3, 0.1]))]
    return {
        "seq": seq,
        "at_ns": at,
        "wall_ns": at,
        "kind": "block",
        "strategy": "S1",
        "symbol": symbol,
        "body": json.dumps({"reason": reason, "arithmetic": words}),
        "available_at": at,
    }


def _signal(symbol: str, settlement: int, rotation: str, seq: int) -> dict[str, object]:
    at = settlement - 90 * MINUTE_NS
    return {
        "seq": seq,
        "at_ns": at,
        "wall_ns": at,
        "kind": "bank_signal",
        "strategy": "S8",
        "symbol": symbol,
        "body": json.dumps(
            {"signal": "ENTER", "regime": rotation, "rotation": rotation, "not_traded": "SHADOW"}
        ),
        "available_at": at,
    }


def _equity(
    random: np.random.Generator, trades: list[dict[str, object]], start: int, end: int
) -> pl.DataFrame:
    times = np.arange(start, end + HOUR_NS, HOUR_NS // 2)
    value = np.full(len(times), 10_000.0) + random.normal(0, 0.4, len(times))
    for trade in trades:
        if trade["mode"] == "live":
            value += np.where(times >= trade["exit_ns"], trade["pnl_usd"], 0.0)
    return pl.DataFrame(
        {"at_ns": times, "equity_usd": value, "available_usd": value - 300, "available_at": times}
    )


if __name__ == "__main__":
    print(add_steps_and_signals(make_home(Path(sys.argv[1]))))
