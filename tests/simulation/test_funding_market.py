"""The synthetic market: reproducible, causal, mutually consistent, and as eventful as its parameters say."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from models.errors import ConfigError
from models.simulation.funding_market import PREMIUM_UNIT, SymbolHistory, generate
from models.simulation.funding_universe import DEFAULT_SYMBOLS, UNIVERSE
from models.simulation.settlements import interval_rate

START_MS = 1_735_689_600_000
DAYS = 120


@cache
def history(symbol: str, seed: int = 7, days: int = DAYS) -> SymbolHistory:
    return generate(symbol, seed, START_MS, days)


def columns(item: SymbolHistory) -> list[np.ndarray]:
    prices = [
        getattr(p, name) for p in (item.index, item.perp, item.spot) for name in ("close", "high", "low")
    ]
    rest = [item.premium, item.volume, item.open_interest, item.long_ratio]
    return prices + rest + [item.settlements.ts_ms, item.settlements.rate, item.settlements.interval_h]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_market() -> None:
    again = generate("BTCUSDT", 7, START_MS, 20)
    assert [column.tobytes() for column in columns(again)] == [
        column.tobytes() for column in columns(generate("BTCUSDT", 7, START_MS, 20))
    ]
    assert (generate("BTCUSDT", 8, START_MS, 20).premium != again.premium).mean() > 0.9


def test_more_days_never_change_the_past() -> None:
    short, long = generate("WIFUSDT", 7, START_MS, 20), history("WIFUSDT")
    for a, b in zip(columns(short), columns(long), strict=True):
        assert len(a) < len(b)
        np.testing.assert_array_equal(a, b[: len(a)])


@pytest.mark.parametrize("symbol", list(UNIVERSE))
def test_bars_are_sane(symbol: str) -> None:
    item = history(symbol, days=30)
    for prices in (item.index, item.perp, item.spot):
        assert (prices.low > 0).all()
        assert (prices.low <= prices.close).all()
        assert (prices.high >= prices.close).all()
        opens = prices.close[:-1]
        assert (prices.low[1:] <= opens).all()
        assert (prices.high[1:] >= opens).all()
    assert (item.volume > 0).all()
    assert (item.open_interest > 0).all()
    assert ((item.long_ratio > 0.2) & (item.long_ratio < 0.9)).all()
    assert (
        0.2
        < item.perp.values().min() / item.symbol.start_price
        < item.perp.values().max() / item.symbol.start_price
        < 5
    )


@pytest.mark.parametrize("symbol", DEFAULT_SYMBOLS)
def test_about_a_third_of_the_rates_is_the_interest_and_many_move(symbol: str) -> None:
    rates = np.concatenate([history(symbol, seed).settlements.rate for seed in (7, 8)])
    assert 0.2 < (rates == 0.0001).mean() < 0.55
    assert (np.abs(np.diff(rates)) > 1e-4).mean() > 0.3
    assert rates.max() > 1.5e-4


def test_small_symbols_reach_their_caps_and_settle_hourly_afterwards() -> None:
    hype = history("HYPEUSDT").settlements
    assert (np.abs(hype.rate) == float(UNIVERSE["HYPEUSDT"].listing.funding_cap)).sum() >= 3
    assert set(hype.interval_h) == {1}
    seeds = [history("WIFUSDT", seed) for seed in (7, 8, 9)]
    paid = next(item.settlements for item in seeds if 1 in item.settlements.interval_h)
    first = int(np.flatnonzero(paid.interval_h == 1)[0])
    assert abs(paid.rate[first - 1]) == float(UNIVERSE["WIFUSDT"].listing.funding_cap)
    assert set(paid.interval_h[first:]) == {1, 4}
    # Back on the regular schedule, settlements are again at 00, 04, 08, …
    regular = paid.ts_ms[paid.interval_h == 4]
    assert (regular % (4 * 3_600_000) == 0).all()


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT", "DOGEUSDT"])
def test_the_premium_at_90_minutes_predicts_and_not_perfectly(symbol: str) -> None:
    item = history(symbol)
    premium = item.premium * PREMIUM_UNIT
    settled, structural, last = [], [], []
    paid = item.settlements
    for k in range(1, len(paid.ts_ms)):
        if paid.interval_h[k] != 8:
            continue
        end = (paid.ts_ms[k] - START_MS) // 60_000
        seen = premium[end - 480 : end - 90]
        guess = np.concatenate((seen, np.full(90, seen[-30:].mean())))
        structural.append(interval_rate(guess, 8, float(item.symbol.listing.funding_cap)))
        settled.append(paid.rate[k])
        last.append(paid.rate[k - 1])
    y = np.array(settled)

    def skill(guess: list[float]) -> float:
        return float(1 - ((y - np.array(guess)) ** 2).sum() / ((y - y.mean()) ** 2).sum())

    assert 0.6 < skill(structural) < 0.95
    assert skill(last) < 0.4


def test_planted_parameters_show_in_the_series() -> None:
    item = history("SOLUSDT", 7, DAYS)
    truth = item.symbol.premium
    premium = item.premium * PREMIUM_UNIT
    assert np.median(premium) == pytest.approx(truth.mean, abs=4e-4)
    bias = item.spot.values() / item.index.values() - 1
    assert bias.mean() == pytest.approx(truth.spot_bias, abs=3 * truth.spot_bias_std)
    returns = np.diff(np.log(item.index.values()))
    assert returns.std() * np.sqrt(1440) == pytest.approx(item.symbol.daily_volatility, rel=0.5)
    kurtosis = (returns**4).mean() / (returns**2).mean() ** 2
    assert kurtosis > 5  # regimes and fat tails
    other = np.diff(np.log(history("BTCUSDT").index.values()))
    assert np.corrcoef(returns, other)[0, 1] > 0.3


def test_open_interest_and_accounts_respond() -> None:
    item = history("SOLUSDT")
    price = item.index.values()[::5]
    day = 288
    past = np.log(price[day:] / price[:-day])
    assert np.corrcoef(past, item.long_ratio[day:])[0, 1] < -0.1  # accounts lean against the past day
    growth = np.log(item.open_interest[day:] / item.open_interest[:-day])
    moves = np.abs(np.diff(np.log(price)))
    wild = np.array([moves[k : k + day].max() for k in range(len(growth) - 1)])
    assert np.corrcoef(wild, growth[: len(wild)])[0, 1] < 0.1  # violent days shed open interest


@pytest.mark.parametrize(("symbol", "start"), [("NOPEUSDT", START_MS), ("BTCUSDT", START_MS + 1)])
def test_bad_requests_are_explained(symbol: str, start: int) -> None:
    with pytest.raises(ConfigError, match=", was "):
        generate(symbol, 7, start, 2)
