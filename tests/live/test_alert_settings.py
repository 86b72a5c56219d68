"""Settings of alerts: their secrets come from the environment or credentials only, and what belongs together is demanded."""

from __future__ import annotations

import pytest

from hean_live.alerts.channels import Mail, Webhook
from hean_live.alerts.configured import channels_of
from hean_live.settings import effective, load_settings
from models.errors import ConfigError

ADDRESS = "https://hooks.example.org/services/T0/B0/part"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    return tmp_path


def test_without_settings_there_are_no_channels():
    assert channels_of(load_settings(), "executor") == []


def test_the_address_comes_from_a_credential_and_is_not_shown(monkeypatch, home):
    (home / "alert_webhook_url").write_text(f"{ADDRESS}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home))
    settings = load_settings(
        alert_smtp_host="mail.example.org", alert_from="a@b.org", alert_to="c@d.org, e@f.org"
    )
    webhook, mail = channels_of(settings, "recorder")
    assert isinstance(webhook, Webhook)
    assert webhook.url.get_secret_value() == ADDRESS
    assert isinstance(mail, Mail)
    assert (mail.recipients, mail.port, mail.tls) == (("c@d.org", "e@f.org"), 587, True)
    assert mail.source == "hean recorder (testnet)"
    shown = f"{effective(settings)}{settings!r}{webhook!r}"
    assert "hooks.example.org" not in shown


@pytest.mark.parametrize("name", ["alert_webhook_url", "alert_smtp_password"])
def test_secrets_in_the_file_are_refused(home, name):
    (home / "hean.toml").write_text(f'[live]\n{name} = "{ADDRESS}"\n')
    with pytest.raises(ConfigError, match=name) as caught:
        load_settings()
    assert f"HEAN_LIVE_{name.upper()}" in caught.value.remedy
    assert ADDRESS not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"alert_smtp_host": "mail.example.org"}, "alert_from and alert_to"),
        ({"alert_smtp_user": "me", "alert_smtp_tls": False}, "over TLS only"),
        ({"alert_webhook_url": "hooks.example.org/part"}, "begin with https"),
        ({"metrics_port": 70_000}, "metrics_port"),
    ],
)
def test_what_does_not_go_together_is_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        load_settings(**given)
