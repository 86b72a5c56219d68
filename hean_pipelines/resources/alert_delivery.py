"""Alerts of the pipelines on their way to a person: remembered in a file, said once, sent by webhook and e-mail.

Sensors, schedules and runs are processes of their own that come and go, so what was said is kept in `<home>/alerts.sqlite`:
neither a restart nor a second process says it again, and what a channel did not take is tried again until it is a day old. Only a
process killed between a channel's answer and noting it leads to a second message. What is worth an alert is decided where it is
known; its words and the rule of saying it once are in `models.alerts`.
"""

from __future__ import annotations

import logging
import smtplib
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from models.alerts import Alert, Deduplicator, email_message, headline, slack_payload
from models.errors import HeanError

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

SOURCE = "hean pipelines"
FOREVER_S = 4e9
"""For alerts of things that happen once; more than a century."""
_CLAIM_S = 60.0
_KEEP_TRYING_S = 86_400.0
_AT_ONCE = 3
"""Alerts tried in one go: a sensor's tick has a minute, and a channel that is away takes ten seconds to say so."""
_log = logging.getLogger(__name__)
_TABLES = """
create table if not exists told (
    seq integer primary key, code text not null, text text not null, severity text not null, at_ns integer not null,
    over integer not null, news integer not null, words text not null
);
create index if not exists told_by_code on told (code, seq);
create table if not exists deliveries (
    seq integer not null, channel text not null, told_at real not null, claimed_until real not null default 0,
    sent_at real, attempts integer not null default 0, error text, primary key (seq, channel)
);
"""


class Channel(Protocol):
    """Somewhere an alert can be sent."""

    @property
    def name(self) -> str:
        """What it is called in the file."""

    def send(self, alert: Alert) -> None:
        """Send it once; raises `HeanError`, whose text never holds a secret."""


@dataclass(frozen=True)
class Webhook:
    """A Slack-compatible incoming webhook; whoever knows its address may write."""

    url: str = field(repr=False)
    timeout_s: float = 10.0
    name: str = "webhook"

    def send(self, alert: Alert) -> None:
        """Post the alert."""
        import requests

        try:
            reply = requests.post(self.url, json=slack_payload(alert, SOURCE), timeout=self.timeout_s)
        except requests.RequestException as error:
            # The error's text holds the address.
            raise HeanError(f"the alert webhook should answer, did not: {type(error).__name__}") from None
        if reply.status_code >= 400:
            raise HeanError(
                f"the alert webhook should take the alert, refused it with {reply.status_code}",
                remedy="check HEAN_PIPELINES_ALERT_WEBHOOK_URL",
            )


@dataclass(frozen=True)
class Mail:
    """A mail server; a password is sent over TLS only, which the settings see to."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = True
    timeout_s: float = 15.0
    name: str = "e-mail"

    def send(self, alert: Alert) -> None:
        """Hand the alert to the server."""
        message = email_message(alert, SOURCE, self.sender, self.recipients)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=self.timeout_s) as server:
                if self.tls:
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            code = getattr(error, "smtp_code", type(error).__name__)
            raise HeanError(
                f"the mail server {self.host}:{self.port} should take the alert, did not: {code}",
                remedy="check the HEAN_PIPELINES_ALERT_SMTP_* settings",
            ) from None


@dataclass(frozen=True)
class Alerts:
    """What was said and to whom it was sent.

    Parameters
    ----------
    path : Path
        The SQLite file; made when first written.
    channels : tuple of Channel
        May be empty: then alerts are in the log and the file only.
    quiet_s : float
        How long an alert of one code is not repeated.

    """

    path: Path
    channels: tuple[Channel, ...] = ()
    quiet_s: float = 14_400.0

    @classmethod
    def from_settings(cls, settings: PipelineSettings) -> Self:
        """Return the alerts of a home with the channels that are configured."""
        channels: list[Channel] = []
        if settings.alert_webhook_url.get_secret_value():
            channels.append(Webhook(settings.alert_webhook_url.get_secret_value()))
        if settings.alert_email_to:
            mail = Mail(
                settings.alert_smtp_host,
                settings.alert_smtp_port,
                settings.alert_email_from,
                settings.alert_email_to,
                settings.alert_smtp_user,
                settings.alert_smtp_password.get_secret_value(),
                settings.alert_smtp_tls,
            )
            channels.append(mail)
        return cls(settings.home / "alerts.sqlite", tuple(channels), settings.alert_quiet_s)

    def tell(self, alert: Alert, quiet_s: float | None = None) -> bool:
        """Remember an alert and send it at once if it is news; returns whether it is.

        Parameters
        ----------
        alert : Alert
        quiet_s : float, optional
            Instead of the object's; `FOREVER_S` for what happens once.

        """
        seq, news = self._remember(alert, self.quiet_s if quiet_s is None else quiet_s)
        if news is not None:
            _log.warning("%s: %s", headline(news), news.text)
            self._send(seq)
        return news is not None

    def deliver(self) -> int:
        """Try what was not sent yet, a few of each channel, least tried first; returns how many still wait."""
        if not self.path.is_file():
            return 0
        self._send(None)
        return self._waiting()

    def _send(self, only: int | None) -> None:
        for channel in self.channels:
            for seq, alert in self._claimed(channel.name, only):
                try:
                    channel.send(alert)
                except HeanError as error:
                    _log.error("alert %s could not be sent by %s: %s", alert.code, channel.name, error)
                    self._note(seq, channel.name, error=str(error))
                else:
                    self._note(seq, channel.name, error=None)

    def _remember(self, alert: Alert, quiet_s: float) -> tuple[int | None, Alert | None]:
        with self._file() as connection:
            # Since the last one that was news: that is all the rule knows of a code.
            rows = connection.execute(
                "select code, text, severity, at_ns, over from told where code = ?1 and seq >= "
                "coalesce((select max(seq) from told where code = ?1 and news), 0) order by seq",
                (alert.code,),
            ).fetchall()
            rule = Deduplicator(int(quiet_s * 1e9))
            for code, text, severity, at_ns, over in rows:
                rule.admit(Alert(code, text, severity, at_ns, bool(over)))
            news = rule.admit(alert)
            if alert.over and news is None:
                return None, None  # nothing was told that could be over
            words = "" if news is None else news.text
            seq = connection.execute(
                "insert into told (code, text, severity, at_ns, over, news, words) values (?, ?, ?, ?, ?, ?, ?)",
                (alert.code, alert.text, alert.severity, alert.at_ns, alert.over, news is not None, words),
            ).lastrowid
            if news is not None:
                connection.executemany(
                    "insert into deliveries (seq, channel, told_at) values (?, ?, ?)",
                    [(seq, channel.name, time.time()) for channel in self.channels],
                )
        return seq, news

    def _claimed(self, channel: str, only: int | None) -> list[tuple[int, Alert]]:
        """Take what waits for a channel, so that no other process sends it meanwhile."""
        now = time.time()
        with self._file() as connection:
            rows = connection.execute(
                "select seq, code, words, severity, at_ns, over from deliveries join told using (seq) where channel = ? "
                "and sent_at is null and claimed_until < ? and told_at > ? and seq = coalesce(?, seq) "
                "order by attempts, seq limit ?",
                (channel, now, now - _KEEP_TRYING_S, only, _AT_ONCE),
            ).fetchall()
            connection.executemany(
                "update deliveries set claimed_until = ?, attempts = attempts + 1 where seq = ? and channel = ?",
                [(now + _CLAIM_S, row[0], channel) for row in rows],
            )
        return [(row[0], Alert(row[1], row[2], row[3], row[4], bool(row[5]))) for row in rows]

    def _note(self, seq: int, channel: str, error: str | None) -> None:
        with self._file() as connection:
            connection.execute(
                "update deliveries set claimed_until = 0, error = ?, sent_at = ? where seq = ? and channel = ?",
                (error, time.time() if error is None else None, seq, channel),
            )

    def _waiting(self) -> int:
        with self._file() as connection:
            found = connection.execute(
                "select count(*) from deliveries where sent_at is null and told_at > ?",
                (time.time() - _KEEP_TRYING_S,),
            ).fetchone()
        return int(found[0])

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        """Give the file in one transaction, alone."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            connection.execute("begin immediate")
            try:
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")
