"""The two channels: a Slack-compatible webhook and e-mail.

Here belongs one attempt at sending. Trying again is `sender.py`.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import requests
from pydantic import SecretStr

from models.alerts import Alert, email_message, slack_payload
from models.errors import HeanError, Retryable


class Channel(Protocol):
    """Somewhere an alert can be sent."""

    @property
    def name(self) -> str:
        """What it is called in the log."""

    def send(self, alert: Alert) -> None:
        """Send it once; raises `HeanError`, `Retryable` where another attempt may help."""


@dataclass(frozen=True)
class Webhook:
    """A Slack-compatible incoming webhook; its address is a secret, for whoever has it may write."""

    url: SecretStr
    source: str
    timeout_s: float = 10.0
    name: str = "webhook"

    def send(self, alert: Alert) -> None:
        """Post the alert."""
        try:
            reply = requests.post(
                self.url.get_secret_value(), json=slack_payload(alert, self.source), timeout=self.timeout_s
            )
        except requests.RequestException as error:
            # The error's text holds the address.
            raise Retryable(f"the alert webhook should answer, did not: {type(error).__name__}") from None
        if reply.status_code == 429 or reply.status_code >= 500:
            raise Retryable(f"the alert webhook should answer 200, was {reply.status_code}")
        if reply.status_code >= 400:
            raise HeanError(
                f"the alert webhook should take the alert, refused it with {reply.status_code}",
                remedy="check HEAN_LIVE_ALERT_WEBHOOK_URL",
            )


@dataclass(frozen=True)
class Mail:
    """An SMTP server; with a user and password only over TLS."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    source: str
    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    tls: bool = True
    timeout_s: float = 20.0
    name: str = "e-mail"
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send(self, alert: Alert) -> None:
        """Hand the alert to the server."""
        message = email_message(alert, self.source, self.sender, self.recipients)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=self.timeout_s) as server:
                if self.tls:
                    server.starttls(context=self.context())
                if self.user:
                    server.login(self.user, self.password.get_secret_value())
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            kind = Retryable if 400 <= error.smtp_code < 500 else HeanError
            raise kind(
                f"the mail server {self.host} should take the alert, refused: {error.smtp_code}"
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            words = f"the mail server {self.host}:{self.port} should take the alert, did not: {type(error).__name__}"
            raise Retryable(words) from None
