"""Our clients against the testnet's Binance, OKX, CoinGlass and Fear & Greed paths, by base address alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import SecretStr

from hean_live.local_testnet.other_venues.sentiment import COINGLASS_KEY
from hean_pipelines.sources.binance import BinancePublicClient
from hean_pipelines.sources.coinglass import CoinglassClient
from hean_pipelines.sources.fear_greed import SYMBOL, FearGreedClient
from hean_pipelines.sources.http import PoliteHttp
from hean_pipelines.sources.okx import OkxPublicClient
from models.errors import ConfigError, DataError, SkipSymbol
from models.simulation.other_venues import funding_difference
from tests.local_testnet.server import START_MS, start_testnet

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
DAYS = 60
NOW_NS = START_MS * 10**6 + DAYS * DAY_NS


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with start_testnet(("BTCUSDT", "ETHUSDT"), days=DAYS) as testnet:
        yield testnet.base_url


@pytest.fixture
def http() -> Iterator[PoliteHttp]:
    polite = PoliteHttp(backoff_s=0.01, max_attempts=2)
    yield polite
    polite.close()


def bybit_rates(url: str, http: PoliteHttp, start_ns: int) -> dict[int, float]:
    from hean_pipelines.sources.bybit import BybitPublicClient

    found = BybitPublicClient(url, http).funding_history("BTCUSDT", start_ns, NOW_NS + 1)
    return dict(zip(found.ts.tolist(), found.funding_rate.tolist(), strict=True))


def test_binance_funding_is_bybits_plus_the_planted_difference(url, http):
    start_ns = NOW_NS - 20 * DAY_NS
    theirs = BinancePublicClient(url, http).funding_history("BTCUSDT", start_ns, NOW_NS)
    ours = bybit_rates(url, http, start_ns)
    assert len(theirs.ts) == 60
    hours = theirs.ts // HOUR_NS * HOUR_NS
    assert (theirs.ts - hours).max() < 7 * 10**6
    planted = funding_difference("binance", hours // 10**6, 8)
    found = theirs.funding_rate - np.array([ours[int(ts)] for ts in hours])
    assert np.abs(found - planted).max() < 2e-8  # rates are written with eight decimals
    assert np.isfinite(theirs.mark_price).all()


def test_binance_bars_are_joined_over_pages(url, http):
    client = BinancePublicClient(url, http)
    start_ns = NOW_NS - 2 * DAY_NS
    bars = client.index_klines("premium", "BTCUSDT", 60, start_ns, NOW_NS)
    assert bars.ts.tolist() == list(range(start_ns, NOW_NS, 60 * 10**9))
    trades = client.klines("BTCUSDT", 300, start_ns, NOW_NS)
    assert (len(trades.ts), int(trades.ts[0])) == (576, start_ns)
    assert (trades.taker_buy_volume <= trades.volume).all()


def test_binance_ratios_go_back_thirty_days_and_no_further(url, http):
    client = BinancePublicClient(url, http)
    found = client.account_ratio("BTCUSDT", "1h", NOW_NS - 40 * DAY_NS, NOW_NS)
    assert NOW_NS - 30 * DAY_NS <= found.ts[0] <= NOW_NS - 29 * DAY_NS
    assert np.allclose(found.buy_ratio + found.sell_ratio, 1.0)
    interest = client.open_interest("BTCUSDT", "5m", NOW_NS - 3 * DAY_NS, NOW_NS)
    assert np.array_equal(np.unique(np.diff(interest.ts)), [300 * 10**9])
    assert (interest.open_interest_usd > interest.open_interest).all()


def test_binance_contracts_and_running_rates(url, http):
    client = BinancePublicClient(url, http)
    at_ns, contracts = client.instruments()
    assert at_ns == NOW_NS
    assert {row.symbol for row in contracts} == {"BTCUSDT", "ETHUSDT"}
    _, rates = client.running_funding(["BTCUSDT"])
    assert rates[0].next_funding_ns == NOW_NS + 8 * HOUR_NS
    assert client.market_time_ns("BTCUSDT") == NOW_NS


def test_binance_names_a_symbol_it_does_not_know(url, http):
    with pytest.raises(SkipSymbol, match="unknown"):
        BinancePublicClient(url, http).funding_history("NOPEUSDT", NOW_NS - DAY_NS, NOW_NS)


def test_okx_funding_walks_back_over_pages(url, http):
    client = OkxPublicClient(url, http)
    start_ns = NOW_NS - 50 * DAY_NS
    found = client.funding_history("BTC-USDT-SWAP", start_ns, NOW_NS)
    assert len(found.ts) == 150
    ours = bybit_rates(url, http, start_ns)
    planted = funding_difference("okx", found.ts // 10**6, 8)
    assert np.abs(found.funding_rate - planted - np.array([ours[int(ts)] for ts in found.ts])).max() < 2e-8
    with pytest.raises(SkipSymbol):
        client.funding_history("NOPE-USDT-SWAP", start_ns, NOW_NS)


def test_okx_sizes_are_in_contracts(url, http):
    client = OkxPublicClient(url, http)
    contracts = {row.symbol: row for row in client.instruments()}
    for row in client.open_interest():
        assert row.coins == pytest.approx(
            row.contracts * float(contracts[row.symbol].contract_value), rel=1e-6
        )
    (running,) = client.running_funding(["BTC-USDT-SWAP", "NOPE-USDT-SWAP"])
    assert running.next_funding_ns == running.funding_ns + 8 * HOUR_NS
    assert client.market_time_ns("") == NOW_NS


def test_coinglass_only_with_a_key_and_within_its_plan(url, http):
    with pytest.raises(ConfigError, match="no CoinGlass key"):
        CoinglassClient(url, SecretStr(""), http)
    wrong = CoinglassClient(url, SecretStr("wrong-key-1234"), http)
    with pytest.raises(DataError) as refused:
        wrong.taker_volume("BTC", "1h")
    assert "wrong-key-1234" not in str(refused.value)
    client = CoinglassClient(url, SecretStr(COINGLASS_KEY), http)
    volumes = client.taker_volume("BTC", "1h")
    assert volumes[0].buy_usd == pytest.approx(sum(row.buy_usd for row in volumes[1:]))
    assert client.long_short("Bybit", "BTCUSDT", "4h")[-1].long_pct > 0
    with pytest.raises(DataError, match="plan"):
        client.long_short("Bybit", "BTCUSDT", "5m")
    with pytest.raises(DataError, match="Upgrade"):
        client.heatmap("Binance", "BTCUSDT", "24h")


def test_fear_and_greed_is_a_number_a_day(url, http):
    found = FearGreedClient(url, http).history(SYMBOL, NOW_NS - 10 * DAY_NS, NOW_NS)
    assert np.array_equal(np.diff(found.ts), [DAY_NS] * 9)
    assert ((found.value >= 0) & (found.value <= 100)).all()


def test_binance_counts_funding_requests(url):
    import requests

    codes = []
    with requests.Session() as session:
        for _ in range(510):
            reply = session.get(f"{url}/fapi/v1/fundingInfo", timeout=5)
            codes.append(reply.status_code)
            if reply.status_code == 429:
                break
            time.sleep(0)
    assert codes[-1] == 429
    assert reply.headers["Retry-After"] == "5"
