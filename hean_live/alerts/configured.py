"""The channels a process' settings name. Here belongs reading settings; sending is `channels.py`'s."""

from __future__ import annotations

from hean_live.alerts.channels import Channel, Mail, Webhook
from hean_live.alerts.sender import AlertSender
from hean_live.settings import LiveSettings


def make_sender(settings: LiveSettings, who: str) -> AlertSender:
    """Return the sender of a process; without channels alerts are in the log only.

    Parameters
    ----------
    settings : LiveSettings
    who : str
        ``executor`` or ``recorder``.

    """
    return AlertSender(channels_of(settings, who), quiet_s=settings.alert_quiet_s)


def channels_of(settings: LiveSettings, who: str) -> list[Channel]:
    """Return the channels that are configured."""
    source = f"hean {who} ({settings.environment})"
    channels: list[Channel] = []
    if settings.alert_webhook_url.get_secret_value():
        channels.append(Webhook(settings.alert_webhook_url, source))
    if settings.alert_smtp_host:
        mail = Mail(
            settings.alert_smtp_host,
            settings.alert_smtp_port,
            settings.alert_from,
            settings.alert_to,
            source,
            user=settings.alert_smtp_user,
            password=settings.alert_smtp_password,
            tls=settings.alert_smtp_tls,
        )
        channels.append(mail)
    return channels
