"""The one frozen settings object of the pipelines, and where its values come from.

Precedence: arguments > environment (`HEAN_PIPELINES_*`, home from `HEAN_HOME`) > table `[pipelines]` of
`<home>/hean.toml` > defaults. Unknown keys, tables and `HEAN_PIPELINES_*` variables are errors.
What does not belong here: the executor's settings, and anything computed from data.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hean_pipelines.text_settings import TEXT_SECRETS, TextSettings
from models.errors import ConfigError

PREFIX = "HEAN_PIPELINES_"
HOME_VARIABLE = "HEAN_HOME"
DEFAULT_HOME = "var"
Interval = Literal["5min", "15min", "30min", "1h", "4h", "1d"]
_TABLES = ("live", "pipelines")
_SECRETS = ("coinglass_key", "alert_webhook_url", "alert_smtp_password", *TEXT_SECRETS)
_PASSWORD = re.compile(r"(?<=://)([^:/@\s]+):[^@/\s]+(?=@)")


class PipelineSettings(TextSettings):
    """Everything the pipelines can be told.

    Build it with `load_settings`, which turns a validation failure into a `ConfigError` that names the key.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True
    )

    home: Path = Field(Path(DEFAULT_HOME), description="Folder of all state; HEAN_HOME.")
    venue_url: str = Field("https://api.bybit.com", description="Where market data come from.")
    bybit_archive_url: str = Field("https://public.bybit.com", description="Bybit's daily files of trades.")
    bybit_book_archive_url: str = Field(
        "https://quote-saver.bycsi.com", description="Bybit's daily files of order books."
    )
    binance_archive_url: str = Field("https://data.binance.vision", description="Binance's published files.")
    binance_url: str = Field("https://fapi.binance.com", description="Binance USD-M public REST.")
    okx_url: str = Field("https://www.okx.com", description="OKX public REST.")
    coinglass_url: str = Field("https://open-api-v4.coinglass.com", description="CoinGlass v4.")
    coinglass_key: SecretStr = Field(
        SecretStr(""), description="Key of CoinGlass; without one it is not asked."
    )
    fear_greed_url: str = Field("https://api.alternative.me", description="The Fear & Greed index.")
    keep_archives: bool = Field(False, description="Leave published files on disk after ingestion.")
    universe: tuple[str, ...] = Field(("BTCUSDT", "ETHUSDT", "SOLUSDT"), description="Symbols by default.")
    partitions_start: date = Field(date(2021, 1, 1), description="First day of the partitions.")
    partitions_end: date | None = Field(None, description="Last day of the partitions; none means today.")
    days_per_run: int = Field(0, ge=0, description="Days of a backfill in one run; 0 means all of them.")
    requests_per_5s: int = Field(500, ge=1, le=600, description="Request budget per host and five seconds.")
    connections: int = Field(4, ge=1, le=32, description="Requests under way at once.")
    max_attempts: int = Field(6, ge=1, le=20, description="Attempts of one request.")
    timeout_s: float = Field(10.0, gt=0, description="Seconds to wait for the venue's answer.")
    open_interest_interval: Interval = Field("5min", description="Spacing of the open-interest history.")
    account_ratio_period: Interval = Field("1h", description="Period of the account ratio.")
    fold_days: int = Field(7, ge=1, description="Days between refits in the walk-forward evaluation.")
    min_train_days: int = Field(30, ge=1, description="Days of rows before a learned candidate predicts.")
    max_train_days: int = Field(365, ge=1, description="Rolling window a learned candidate is trained on.")
    bundle_valid_days: float = Field(7.0, gt=0, description="Days after its last label a model may be used.")
    promotion_level: float = Field(0.05, gt=0, lt=0.5, description="Level of the Diebold-Mariano test.")
    recordings: Path | None = Field(
        None, description="Folder of recorded tapes the studies read; none means the synthetic market."
    )
    allow_synthetic_evidence: bool = Field(
        False, description="Let synthetic evidence count; local testnet only."
    )
    schedules_running: bool = Field(False, description="Start the schedules and sensors with the daemon.")
    alert_webhook_url: SecretStr = Field(
        SecretStr(""), description="Slack-compatible webhook for alerts; none without."
    )
    alert_email_to: tuple[str, ...] = Field((), description="Who gets alerts by e-mail; nobody by default.")
    alert_email_from: str = Field("hean@localhost", description="Sender of those mails.")
    alert_smtp_host: str = Field("localhost", description="Mail server.")
    alert_smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    alert_smtp_user: str = Field("", description="User at the mail server; none logs in without.")
    alert_smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    alert_smtp_tls: bool = Field(True, description="Encrypt mail by STARTTLS; a password asks for it.")
    alert_quiet_s: float = Field(
        14_400.0, ge=0, description="Seconds in which an alert of one kind is said once."
    )
    lake_root: Path = Field(
        default_factory=lambda data: data["home"] / "lake", description="Folder of the lake; <home>/lake."
    )
    tracking_uri: str = Field(
        default_factory=lambda data: f"sqlite:///{data['home'] / 'mlflow.db'}",
        description="MLflow tracking; SQLite under home.",
    )
    artifact_root: str = Field(
        default_factory=lambda data: (data["home"] / "mlartifacts").as_uri(),
        description="Where new MLflow experiments keep artifacts; a folder under home.",
    )

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        # Dagster's processes run in other working directories than the command that started them.
        return value.expanduser().absolute()

    @field_validator("universe", "alert_email_to", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        # "A,B" and ["A", "B"] are both natural in an environment variable.
        if isinstance(value, str):
            return tuple(part.strip(" \"'") for part in value.strip(" []").split(",") if part.strip())
        return value

    @field_validator("universe")
    @classmethod
    def _check_universe(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [symbol for symbol in value if not re.fullmatch(r"[A-Z0-9]+", symbol)]
        if wrong or not value or len(set(value)) != len(value):
            raise ValueError("must be one or more different upper-case symbols such as BTCUSDT")
        return value

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        if self.alert_smtp_password.get_secret_value() and not self.alert_smtp_tls:
            raise ValueError("alert_smtp_tls must stay on where a password is sent")
        return self

    @field_validator("alert_webhook_url")
    @classmethod
    def _check_webhook(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.match(r"https?://[^/\s]+", value.get_secret_value()):
            raise ValueError("must be an http(s) address")
        return value

    @field_validator(
        "venue_url",
        "bybit_archive_url",
        "bybit_book_archive_url",
        "binance_archive_url",
        "binance_url",
        "okx_url",
        "coinglass_url",
        "fear_greed_url",
    )
    @classmethod
    def _check_url(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must be an http(s) address such as https://api.bybit.com")
        return value.rstrip("/")

    @property
    def warehouse_path(self) -> Path:
        """Return the DuckDB file of the marts."""
        return self.home / "warehouse.duckdb"

    @property
    def journal_path(self) -> Path:
        """Return the executor's SQLite journal."""
        return self.home / "journal.sqlite"

    @property
    def dagster_home(self) -> Path:
        """Return the folder of Dagster's runs and events."""
        return self.home / "dagster"

    def effective(self) -> dict[str, str]:
        """Return every setting as text, passwords in addresses masked: safe to print."""
        values = self.model_dump()
        shown = {name: _shown(value) for name, value in values.items()}
        return {name: mask_password(value) for name, value in shown.items()}

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, mask_password(value) if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the sources in the order of the module's docstring; no dotenv, no secret files."""
        given = getattr(init_settings, "init_kwargs", {})
        home = Path(given.get("home") or os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)
        return init_settings, _Environment(settings_cls), _Toml(settings_cls, home)


class _Environment(PydanticBaseSettingsSource):
    """`HEAN_PIPELINES_*` and `HEAN_HOME`; an unknown name with the prefix is a typing mistake."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return os.environ.get(PREFIX + field_name.upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for variable, value in os.environ.items():
            if not variable.startswith(PREFIX):
                continue
            name = variable.removeprefix(PREFIX).lower()
            if name not in _names(self.settings_cls):
                known = ", ".join(PREFIX + key.upper() for key in _names(self.settings_cls))
                raise ConfigError(f"unknown environment variable {variable}", remedy=f"known are {known}")
            found[name] = value
        if os.environ.get(HOME_VARIABLE):
            found["home"] = os.environ[HOME_VARIABLE]
        return found


class _Toml(PydanticBaseSettingsSource):
    """Table `[pipelines]` of `<home>/hean.toml`; other tables than the known ones are errors."""

    def __init__(self, settings_cls: type[BaseSettings], home: Path) -> None:
        super().__init__(settings_cls)
        self.path = home / "hean.toml"

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        if not self.path.is_file():
            return {}
        try:
            content = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path}: expected TOML, was unreadable: {error}") from None
        for name, table in content.items():
            if name not in _TABLES or not isinstance(table, dict):
                raise ConfigError(
                    f"{self.path}: unknown table or key '{name}'",
                    remedy="settings stand in the tables [live] and [pipelines]",
                )
        table = content.get("pipelines", {})
        secret = [name for name in _SECRETS if name in table]
        if secret:
            raise ConfigError(
                f"{self.path}: secrets do not belong in the file, found {', '.join(secret)}",
                remedy=f"set {', '.join(PREFIX + name.upper() for name in secret)} in the environment instead",
            )
        for name in table:
            if name not in _names(self.settings_cls):
                known = ", ".join(_names(self.settings_cls))
                raise ConfigError(
                    f"{self.path}: unknown key '{name}' in [pipelines]", remedy=f"known are {known}"
                )
        return dict(table)


def _names(settings_cls: type[BaseSettings]) -> list[str]:
    # home says where the file is, so the file cannot say it, and its variable is HEAN_HOME.
    return [name for name in settings_cls.model_fields if name != "home"]


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "set, hidden" if value.get_secret_value() else "not set"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def mask_password(value: str) -> str:
    """Replace the password of an address such as `postgresql://me:secret@host` by stars."""
    return _PASSWORD.sub(r"\1:***", value)


def load_settings(**overrides: Any) -> PipelineSettings:
    """Read and validate the settings.

    Parameters
    ----------
    **overrides
        Values that win over environment and file; None means "not given".

    Raises
    ------
    ConfigError
        If a value is wrong or a key unknown; the message names the key.

    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return PipelineSettings(**given)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}"
            for item in error.errors()
            if item["type"] != "default_factory_not_called"  # only says that another value is wrong
        )
        raise ConfigError(
            f"pipeline settings are not valid: {faults}",
            remedy=f"mend the {PREFIX}* variable, the [pipelines] table of hean.toml or the option",
        ) from None
