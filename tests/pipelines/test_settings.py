"""Where settings come from, which source wins, and what is refused."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from hean_pipelines.settings import load_settings, mask_password
from models.errors import ConfigError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in os.environ:
        if name.startswith("HEAN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def toml(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "hean.toml").write_text(text)


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.home == tmp_path / "var"
    assert settings.lake_root == tmp_path / "var" / "lake"
    assert settings.tracking_uri == f"sqlite:///{tmp_path}/var/mlflow.db"
    assert settings.artifact_root == f"file://{tmp_path}/var/mlartifacts"
    assert settings.venue_url == "https://api.bybit.com"
    assert settings.universe == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    assert (settings.partitions_start, settings.partitions_end) == (date(2021, 1, 1), None)
    assert settings.journal_path == tmp_path / "var" / "journal.sqlite"
    assert settings.warehouse_path.name == "warehouse.duckdb"


def test_arguments_win_over_environment_over_file_over_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEAN_HOME", str(tmp_path / "h"))
    toml(
        tmp_path / "h",
        "[pipelines]\nrequests_per_5s = 100\nmax_attempts = 2\ntimeout_s = 1.5\n[live]\nx = 1\n",
    )
    monkeypatch.setenv("HEAN_PIPELINES_REQUESTS_PER_5S", "200")
    monkeypatch.setenv("HEAN_PIPELINES_MAX_ATTEMPTS", "3")
    settings = load_settings(requests_per_5s=300, max_attempts=None)
    assert settings.requests_per_5s == 300
    assert settings.max_attempts == 3
    assert settings.timeout_s == 1.5
    assert settings.connections == 4
    assert settings.home == tmp_path / "h"


def test_home_given_as_argument_is_where_the_file_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEAN_HOME", str(tmp_path / "other"))
    toml(tmp_path / "mine", "[pipelines]\nconnections = 7\n")
    assert load_settings(home=tmp_path / "mine").connections == 7


@pytest.mark.parametrize("value", ["BTCUSDT,ADAUSDT", '["BTCUSDT", "ADAUSDT"]', " BTCUSDT , ADAUSDT "])
def test_universe_from_the_environment(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HEAN_PIPELINES_UNIVERSE", value)
    assert load_settings().universe == ("BTCUSDT", "ADAUSDT")


def test_unknown_variable_key_and_table_are_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEAN_PIPELINES_UNIVERS", "BTCUSDT")
    with pytest.raises(ConfigError, match="HEAN_PIPELINES_UNIVERS") as error:
        load_settings()
    assert "HEAN_PIPELINES_UNIVERSE" in error.value.remedy
    monkeypatch.delenv("HEAN_PIPELINES_UNIVERS")
    home = tmp_path / "var"
    toml(home, "[pipelines]\nuniversse = ['BTCUSDT']\n")
    with pytest.raises(ConfigError, match=r"unknown key 'universse' in \[pipelines\]"):
        load_settings()
    toml(home, "[pipeline]\nuniverse = ['BTCUSDT']\n")
    with pytest.raises(ConfigError, match="unknown table or key 'pipeline'"):
        load_settings()
    toml(home, "universe = ['BTCUSDT']\n")
    with pytest.raises(ConfigError, match="unknown table or key 'universe'"):
        load_settings()
    toml(home, "[pipelines\n")
    with pytest.raises(ConfigError, match="expected TOML"):
        load_settings()
    (home / "hean.toml").unlink()
    with pytest.raises(ConfigError, match="nonsense"):
        load_settings(nonsense=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("venue_url", "api.bybit.com"),
        ("universe", "btcusdt"),
        ("universe", "BTCUSDT,BTCUSDT"),
        ("requests_per_5s", 601),
        ("days_per_run", -1),
        ("open_interest_interval", "7min"),
        ("timeout_s", 0),
    ],
)
def test_wrong_values_are_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name) as error:
        load_settings(**{name: value})
    assert "hean.toml" in error.value.remedy


def test_settings_are_frozen() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.connections = 2


def test_passwords_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAN_PIPELINES_TRACKING_URI", "postgresql://me:hunter2@db/mlflow")
    settings = load_settings()
    assert settings.tracking_uri == "postgresql://me:hunter2@db/mlflow"
    for shown in (repr(settings), str(settings), str(settings.effective())):
        assert "hunter2" not in shown
        assert "postgresql://me:***@db/mlflow" in shown
    assert mask_password("https://host:443/path") == "https://host:443/path"


def test_a_secret_in_a_wrong_value_is_not_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAN_PIPELINES_VENUE_URL", "me:hunter2@host")
    with pytest.raises(ConfigError) as error:
        load_settings()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("key", ["coinglass_key", "alert_webhook_url", "alert_smtp_password"])
def test_secrets_in_the_file_are_refused_and_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str
) -> None:
    home = tmp_path / "var"
    toml(home, f"[pipelines]\n{key} = 'https://secretpart'\n")
    with pytest.raises(ConfigError, match=key) as error:
        load_settings()
    assert f"HEAN_PIPELINES_{key.upper()}" in error.value.remedy
    assert "secretpart" not in str(error.value) + error.value.remedy
    toml(home, "")
    monkeypatch.setenv(f"HEAN_PIPELINES_{key.upper()}", "https://secretpart")
    settings = load_settings()
    assert getattr(settings, key).get_secret_value() == "https://secretpart"
    assert "secretpart" not in repr(settings) + str(settings.effective())


def test_a_password_is_never_sent_without_encryption() -> None:
    with pytest.raises(ConfigError, match="alert_smtp_tls"):
        load_settings(alert_smtp_password="p", alert_smtp_tls=False)
