"""Settings of the executor: one frozen, validated object; unknown keys are errors, secrets are never printed.

Precedence: arguments > environment (``HEAN_LIVE_*``, ``HEAN_HOME``) > systemd credentials (secrets only) >
the table ``[live]`` of ``<home>/hean.toml`` > defaults. Secrets in the TOML file are refused.

There is no main network among the order venues, and no setting that adds one: ``local`` takes loopback
addresses only, ``testnet`` only Bybit's testnet. Market data may be read from anywhere, unsigned.
"""

from __future__ import annotations

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

from hean_live.execution_settings import ExecutionSettings, Seconds
from hean_live.outlook_settings import OutlookSettings
from hean_live.setting_sources import PREFIX, credentials, home_of, refuse_unknown_variables, table_of
from models.errors import ConfigError

TESTNET_URL = "https://api-testnet.bybit.com"
MAINNET_DATA_URL = "https://api.bybit.com"  # public market data only
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class LiveSettings(OutlookSettings, ExecutionSettings):
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
    cascade_name: str = "hean-cascade"
    regime_name: str = "hean-regime-hmm"
    policy_name: str = "hean-policy"
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

    s1_threshold: Annotated[float, Field(gt=0)] = 0.0001
    s1_entry_before_s: Annotated[int, Field(gt=0)] = 5400
    s1_entry_window_s: Annotated[int, Field(gt=0)] = 600
    s1_exit_after_s: Annotated[int, Field(ge=0)] = 300
    s1_min_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.6
    shadows: bool = True
    shadow_strategies: Annotated[tuple[str, ...], NoDecode] = ()
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
        home = home_of(given)
        return (
            init_settings,
            InitSettingsSource(settings_cls, {"home": home}),
            env_settings,
            InitSettingsSource(settings_cls, credentials()),
            InitSettingsSource(settings_cls, table_of(home)),
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

    @field_validator("alert_to", "shadow_strategies", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
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
    def _watched_partners(self) -> LiveSettings:
        for own, partner in self.pairs.items():
            if own == partner or not {own, partner} <= set(self.symbols):
                raise ValueError(f"pairs: expected two of the symbols, was {own}={partner}")
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
    def data_is_testnet(self) -> bool:
        """Whether market data are those of Bybit's testnet, which trades a fraction of what the main network trades."""
        return urlsplit(self.data_from).hostname == urlsplit(TESTNET_URL).hostname

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
    refuse_unknown_variables(LiveSettings.model_fields)
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
    if isinstance(value, dict):
        return ",".join(f"{name}={part}" for name, part in value.items())
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _without_password(uri: str) -> str:
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":…@") if password else uri


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
