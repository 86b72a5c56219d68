"""Settings: precedence, what is refused, and that secrets stay hidden."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest

from hean_live.settings import MAINNET_DATA_URL, TESTNET_URL, effective, load_settings
from models.errors import ConfigError


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in ("HEAN_HOME", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    return tmp_path


def test_defaults_are_safe():
    settings = load_settings()
    assert (settings.environment, settings.orders_at, settings.data_from) == (
        "testnet",
        TESTNET_URL,
        MAINNET_DATA_URL,
    )
    assert not settings.has_key
    assert settings.registry.startswith("sqlite:////")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, False),  # orders at the testnet, data of the main network
        ({"market_data_url": TESTNET_URL + "/"}, True),
        (
            {"environment": "local", "order_url": "http://127.0.0.1:1"},
            False,
        ),  # trades what the main network trades
        ({"environment": "local", "order_url": "http://127.0.0.1:1", "market_data_url": TESTNET_URL}, True),
    ],
)
def test_the_testnets_market_is_known_by_where_data_come_from(changed, expected):
    assert load_settings(**changed).data_is_testnet is expected


def test_home_defaults_to_var(monkeypatch):
    monkeypatch.delenv("HEAN_HOME")
    assert load_settings().home == Path("var")


def test_precedence(monkeypatch, clean):
    (clean / "hean.toml").write_text(
        '[live]\nleverage = 2\nmax_requotes = 7\nsymbols = ["BTCUSDT"]\n[pipelines]\nx = 1\n'
    )
    assert (load_settings().leverage, load_settings().max_requotes) == (D(2), 7)
    monkeypatch.setenv("HEAN_LIVE_LEVERAGE", "4")
    monkeypatch.setenv("HEAN_LIVE_SYMBOLS", "ethusdt, SOLUSDT")
    settings = load_settings(max_requotes=1)
    assert (settings.leverage, settings.max_requotes, settings.symbols) == (D(4), 1, ("ETHUSDT", "SOLUSDT"))


def test_credentials_come_from_the_environment_or_systemd(monkeypatch, clean):
    (clean / "api_key").write_text("key-from-file\n")
    (clean / "api_secret").write_text("secret-from-file\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(clean))
    assert load_settings().api_secret.get_secret_value() == "secret-from-file"
    monkeypatch.setenv("HEAN_LIVE_API_KEY", "key-from-env")
    assert load_settings().api_key.get_secret_value() == "key-from-env"


def test_secrets_are_never_shown(monkeypatch):
    monkeypatch.setenv("HEAN_LIVE_API_KEY", "visible-key")
    monkeypatch.setenv("HEAN_LIVE_API_SECRET", "visible-secret")
    settings = load_settings()
    shown = repr(settings) + str(settings) + str(effective(settings)) + settings.model_dump_json()
    assert "visible" not in shown
    assert effective(settings)["api_secret"] == "set, hidden"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[live]\nleverag = 2\n", "leverag"),
        ("[lvie]\nleverage = 2\n", "lvie"),
        ("[live]\nleverage = 99\n", "leverage"),
        ('[live]\napi_secret = "s3cret"\n', "secrets do not belong"),
        ("[live\n", "TOML"),
        ("live = 3\n", "table"),
    ],
)
def test_a_wrong_file_is_an_error(clean, text, message):
    (clean / "hean.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_unknown_variables_are_errors(monkeypatch):
    monkeypatch.setenv("HEAN_LIVE_LEVERAG", "2")
    with pytest.raises(ConfigError, match="HEAN_LIVE_LEVERAG"):
        load_settings()


def test_a_wrong_value_is_not_repeated(monkeypatch):
    monkeypatch.setenv("HEAN_LIVE_LEVERAGE", "hunter2")
    with pytest.raises(ConfigError, match="leverage") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_key_and_secret_belong_together(monkeypatch):
    monkeypatch.setenv("HEAN_LIVE_API_KEY", "only-key")
    with pytest.raises(ConfigError, match="belong together"):
        load_settings()


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ("testnet", "https://api.bybit.com"),
        ("testnet", "http://127.0.0.1:8099"),
        ("local", "https://api.bybit.com"),
        ("local", "https://api-testnet.bybit.com"),
        ("local", "http://127.0.0.1.example.com"),
        ("local", ""),
    ],
)
def test_no_other_order_venue_is_possible(environment, url):
    with pytest.raises(ConfigError, match="order_url"):
        load_settings(environment=environment, order_url=url)


@pytest.mark.parametrize("environment", ["mainnet", "demo", "live"])
def test_there_is_no_main_network(environment):
    with pytest.raises(ConfigError, match="environment"):
        load_settings(environment=environment)


def test_local_reads_data_where_orders_go():
    settings = load_settings(environment="local", order_url="http://127.0.0.1:8099/")
    assert settings.data_from == settings.orders_at == "http://127.0.0.1:8099"


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().leverage = D(5)  # type: ignore[misc]


def test_strategies_of_the_shadows_are_listed_with_commas(monkeypatch):
    assert load_settings().shadow_strategies == ()
    monkeypatch.setenv("HEAN_LIVE_SHADOW_STRATEGIES", "impulse_engine, hf_scalping")
    assert load_settings().shadow_strategies == ("impulse_engine", "hf_scalping")


def test_partners_and_the_other_venue(tmp_path):
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    settings = load_settings(home=tmp_path, symbols=symbols, pairs="ethusdt=BTCUSDT, SOLUSDT = ETHUSDT")
    assert settings.pairs == {"ETHUSDT": "BTCUSDT", "SOLUSDT": "ETHUSDT"}
    assert effective(settings)["pairs"] == "ETHUSDT=BTCUSDT,SOLUSDT=ETHUSDT"
    for pairs, words in (
        ("ETHUSDT", "with commas"),
        ("ETHUSDT=ETHUSDT", "two of the symbols"),
        ("ETHUSDT=XRPUSDT", "two of the symbols"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_settings(home=tmp_path, symbols=symbols, pairs=pairs)
    assert load_settings(home=tmp_path).other_venue_url == ""
    assert load_settings(home=tmp_path, other_venue_url="https://x.test/").other_venue_url == "https://x.test"
    with pytest.raises(ConfigError, match="expected an address"):
        load_settings(home=tmp_path, other_venue_url="fapi.binance.com")
