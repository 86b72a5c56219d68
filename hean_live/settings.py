"""Settings of the executor: one frozen, validated object; unknown keys are errors, secrets are never printed.

Precedence: arguments > environment (``HEAN_LIVE_*``, ``HEAN_HOME``) > systemd credentials (secrets only) >
the table ``[live]`` of ``<home>/hean.toml`` > defaults. Secrets in the TOML file are refused.

There is no main network among the order venues, and no setting that adds one: ``local`` takes loopback
addresses only, ``testnet`` only Bybit's testnet. Market data may be read from anywhere, unsigned.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from models.errors import ConfigError

TESTNET_URL = "https://api-testnet.bybit.com"
MAINNET_DATA_URL = "https://api.bybit.com"  # public market data only
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
PREFIX = "HEAN_LIVE_"
HOME_VARIABLE = "HEAN_HOME"
_TABLES = frozenset({"live", "pipelines"})
_SECRETS = ("api_key", "api_secret", "alert_webhook_url", "alert_smtp_password")

Fraction = Annotated[Decimal, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]


class LiveSettings(BaseSettings):
    """Every setting of `hean live` with its default; durations of decisions are in market time."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", validate_default=True)

    home: Path = Path("var")
    environment: Literal["local", "testnet"] = "testnet"
    order_url: str = ""
    market_data_url: str = ""
    api_key: SecretStr = SecretStr("")
    api_secret: SecretStr = SecretStr("")
    symbols: Annotated[tuple[str, ...], NoDecode] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")

    tracking_uri: str = ""
    model_name: str = "hean-funding"
    matrix_name: str = "hean-regime-matrix"
    model_alias: str = "champion"
    registry_poll_s: Seconds = 60.0
    registry_timeout_s: Seconds = 120.0
    history_settlements: Annotated[int, Field(ge=2, le=190)] = 181

    poll_interval_s: Seconds = 1.0
    reconcile_s: Seconds = 60.0
    reconcile_open_s: Seconds = 10.0
    clock_check_s: Seconds = 60.0
    timeout_s: Seconds = 5.0
    streams: bool | None = None
    market_clock: Literal["wall", "venue"] = "wall"
    stream_depth: Annotated[int, Field(ge=1, le=1000)] = 50
    stream_mute_s: Seconds = 40.0
    stream_book_silence_s: Annotated[float, Field(ge=0)] = 15.0
    stream_ticker_silence_s: Annotated[float, Field(ge=0)] = 30.0
    stream_fresh_s: Seconds = 10.0
    stream_doubt_s: Seconds = 600.0
    open_interest_poll_s: Annotated[float, Field(ge=0)] = 60.0
    order_entry: Literal["rest", "socket"] = "rest"
    record: bool = False
    recorder_rotate_s: Annotated[int, Field(ge=1, le=86_400)] = 900
    recorder_rotate_mb: Annotated[int, Field(ge=1)] = 256
    recorder_keep_gb: Annotated[float, Field(gt=0)] = 50.0
    recorder_free_gb: Annotated[float, Field(ge=0)] = 1.0
    inputs_rotate_mb: Annotated[int, Field(ge=1)] = 16
    inputs_keep_gb: Annotated[float, Field(gt=0)] = 1.0
    recv_window_ms: Annotated[int, Field(ge=1000, le=10000)] = 5000

    capital_per_trade: Fraction = Decimal("0.03")
    risk_per_trade: Fraction = Decimal("0.01")
    stop_fraction: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.02")
    leverage: Annotated[Decimal, Field(ge=1, le=10)] = Decimal(3)
    max_symbol_exposure: Annotated[Decimal, Field(gt=0)] = Decimal("0.15")
    max_total_exposure: Annotated[Decimal, Field(gt=0)] = Decimal("0.60")
    max_ticker_age_s: Seconds = 60.0
    max_forecast_age_s: Seconds = 900.0
    max_clock_offset_ms: Annotated[float, Field(gt=0, le=900)] = 500.0
    kill_drawdown: Fraction = Decimal("0.20")

    s1_threshold: Annotated[float, Field(gt=0)] = 0.0001
    s1_entry_before_s: Annotated[int, Field(gt=0)] = 5400
    s1_entry_window_s: Annotated[int, Field(gt=0)] = 600
    s1_exit_after_s: Annotated[int, Field(ge=0)] = 300
    s1_min_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.6

    max_requotes: Annotated[int, Field(ge=0, le=100)] = 4
    entry_maker_s: Annotated[float, Field(ge=0)] = 180.0
    exit_maker_s: Annotated[float, Field(ge=0)] = 60.0
    entry_taker_fallback: bool = True
    taker_slippage: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.0005")
    shadow_equity_usd: Annotated[Decimal, Field(gt=0)] = Decimal(10_000)

    alert_webhook_url: SecretStr = SecretStr("")
    alert_smtp_host: str = ""
    alert_smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    alert_smtp_user: str = ""
    alert_smtp_password: SecretStr = SecretStr("")
    alert_smtp_tls: bool = True
    alert_from: str = ""
    alert_to: Annotated[tuple[str, ...], NoDecode] = ()
    alert_quiet_s: Seconds = 3600.0
    metrics_address: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_json: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources as the module says."""
        given = getattr(init_settings, "init_kwargs", {})
        home = _home(given)
        return (
            init_settings,
            InitSettingsSource(settings_cls, {"home": home}),
            env_settings,
            InitSettingsSource(settings_cls, _credentials()),
            InitSettingsSource(settings_cls, _table(home)),
        )

    @field_validator("symbols", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().upper() for part in value.split(",") if part.strip())
        return value

    @field_validator("symbols")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("expected at least one symbol and none twice")
        return value

    @field_validator("alert_to", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("recorder_rotate_s")
    @classmethod
    def _divides_a_day(cls, value: int) -> int:
        if 86_400 % value:
            raise ValueError("expected a divisor of a day (86400 s)")
        return value

    @model_validator(mode="after")
    def _venue(self) -> LiveSettings:
        _check_order_url(self.environment, self.order_url)
        if bool(self.api_key.get_secret_value()) != bool(self.api_secret.get_secret_value()):
            raise ValueError("api_key and api_secret belong together, one of them was missing")
        return self

    @model_validator(mode="after")
    def _alerts(self) -> LiveSettings:
        if self.alert_smtp_host and not (self.alert_from and self.alert_to):
            raise ValueError("alert_smtp_host needs alert_from and alert_to, one of them was missing")
        if self.alert_smtp_user and not self.alert_smtp_tls:
            raise ValueError(
                "alert_smtp_user and its password are sent over TLS only, alert_smtp_tls was false"
            )
        webhook = self.alert_webhook_url.get_secret_value()
        if webhook and urlsplit(webhook).scheme not in ("http", "https"):
            raise ValueError("alert_webhook_url should begin with https://")
        return self

    @property
    def orders_at(self) -> str:
        """Base address orders go to."""
        return (self.order_url or TESTNET_URL).rstrip("/")

    @property
    def data_from(self) -> str:
        """Base address public market data come from."""
        default = self.orders_at if self.environment == "local" else MAINNET_DATA_URL
        return (self.market_data_url or default).rstrip("/")

    @property
    def uses_streams(self) -> bool:
        """Whether market and account are also read from the venue's sockets; by default on the testnet only."""
        return self.environment == "testnet" if self.streams is None else self.streams

    @property
    def registry(self) -> str:
        """MLflow tracking URI."""
        return self.tracking_uri or f"sqlite:///{self.home.resolve() / 'mlflow.db'}"

    @property
    def has_key(self) -> bool:
        """Whether a key pair is configured."""
        return bool(self.api_key.get_secret_value())


def load_settings(**overrides: Any) -> LiveSettings:
    """Read the settings from all sources.

    Parameters
    ----------
    **overrides
        Fields given on the command line; None means not given.

    Raises
    ------
    ConfigError
        If a value is wrong or a key unknown; values are not repeated in the message, for they may be secret.

    """
    _refuse_unknown_variables()
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return LiveSettings(**given)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, row['loc'])) or 'settings'}: {row['msg']}" for row in error.errors()]
        raise ConfigError(
            "; ".join(lines), remedy=f"see the fields of [live] in <home>/hean.toml and {PREFIX}* variables"
        ) from None


def effective(settings: LiveSettings) -> dict[str, str]:
    """Return every setting as text, secrets masked, with the addresses and paths that follow from them."""
    values = {name: _shown(getattr(settings, name)) for name in LiveSettings.model_fields}
    return values | {
        "home": str(settings.home.resolve()),
        "order_url": settings.orders_at,
        "market_data_url": settings.data_from,
        "tracking_uri": _without_password(settings.registry),
    }


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "set, hidden" if value.get_secret_value() else "not set"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _without_password(uri: str) -> str:
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":…@") if password else uri


def _home(given: Mapping[str, Any]) -> Path:
    return Path(given.get("home") or os.environ.get(HOME_VARIABLE) or "var")


def _refuse_unknown_variables() -> None:
    known = {f"{PREFIX}{name}".upper() for name in LiveSettings.model_fields if name != "home"}
    unknown = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if unknown:
        raise ConfigError(
            f"environment variables should name settings, unknown: {', '.join(unknown)}",
            remedy=f"unset them; the home folder is {HOME_VARIABLE}, `hean doctor` lists all settings",
        )


def _credentials() -> dict[str, str]:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    files = {name: Path(folder) / name for name in _SECRETS}
    return {name: path.read_text().strip() for name, path in files.items() if path.is_file()}


def _table(home: Path) -> dict[str, Any]:
    path = home / "hean.toml"
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: should be TOML, was not: {error}") from error
    unknown = sorted(set(tables) - _TABLES)
    if unknown:
        raise ConfigError(f"{path}: tables should be among {sorted(_TABLES)}, unknown: {', '.join(unknown)}")
    table = tables.get("live", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: 'live' should be a table, was {type(table).__name__}")
    secret = sorted(set(table) & set(_SECRETS))
    if secret:
        raise ConfigError(
            f"{path}: secrets do not belong in the file, found {', '.join(secret)}",
            remedy=f"use {' and '.join(PREFIX + name.upper() for name in secret)} or systemd credentials",
        )
    return table


def _check_order_url(environment: str, url: str) -> None:
    if environment == "testnet":
        if url and url.rstrip("/") != TESTNET_URL:
            raise ValueError(f"order_url in environment 'testnet' should be {TESTNET_URL} or left out")
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError(
            "order_url in environment 'local' should be a loopback address such as http://127.0.0.1:8099"
            " (`hean testnet` prints it)"
        )
