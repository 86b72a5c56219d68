"""Alerts (R4): what a person is told, how often, and in which words for which channel.

Here belong the alert, the rule that it is said once, and its forms for a Slack-compatible webhook and for e-mail. Sending is
the shells' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Literal

Severity = Literal["info", "warning", "critical"]
_MARKS: Mapping[Severity, str] = {
    "info": ":white_check_mark:",
    "warning": ":warning:",
    "critical": ":rotating_light:",
}


@dataclass(frozen=True)
class Alert:
    """Something a person should know.

    Attributes
    ----------
    code : str
        What it is about, the same each time: ``KILL_SWITCH``, ``STALE BTCUSDT``. Alerts of one code are said once.
    text : str
        One or a few sentences, with the remedy where there is one.
    severity : str
        ``info``, ``warning`` or ``critical``.
    at_ns : int
        When, ns UTC.
    over : bool
        Whether the trouble of this code has ended.

    """

    code: str
    text: str
    severity: Severity
    at_ns: int
    over: bool = False


@dataclass
class _Said:
    at_ns: int
    held_back: int = 0


@dataclass
class Deduplicator:
    """Lets an alert of a code through once in a while, and its end only where its beginning was told.

    Parameters
    ----------
    quiet_ns : int
        How long a code is not repeated. A critical alert after a lesser one of its code is let through at once.

    """

    quiet_ns: int
    _said: dict[str, _Said] = field(default_factory=dict)
    _severity: dict[str, Severity] = field(default_factory=dict)

    def admit(self, alert: Alert) -> Alert | None:
        """Return the alert to send, with the number of those held back since the last; None for none.

        Parameters
        ----------
        alert : Alert
            In the order of their times.

        """
        said = self._said.get(alert.code)
        if alert.over:
            if said is None:
                return None
            del self._said[alert.code]
            self._severity.pop(alert.code, None)
            return alert
        graver = alert.severity == "critical" and self._severity.get(alert.code) != "critical"
        if said is not None and alert.at_ns - said.at_ns < self.quiet_ns and not graver:
            said.held_back += 1
            return None
        self._said[alert.code] = _Said(alert.at_ns)
        self._severity[alert.code] = alert.severity
        if said is None or not said.held_back:
            return alert
        text = f"{alert.text} ({said.held_back} more of these since the last word)"
        return Alert(alert.code, text, alert.severity, alert.at_ns)


def headline(alert: Alert) -> str:
    """Return one line: what, and whether it is over."""
    return f"{alert.code}: over" if alert.over else alert.code


def slack_payload(alert: Alert, source: str) -> dict[str, str]:
    """Return the body of a Slack-compatible incoming webhook.

    Parameters
    ----------
    alert : Alert
    source : str
        Who speaks, for example ``hean executor (testnet)``.

    References
    ----------
    .. [1] Slack, "Sending messages using incoming webhooks"; ``&``, ``<`` and ``>`` are escaped as its text formatting asks.

    """
    mark = _MARKS["info" if alert.over else alert.severity]
    text = (
        f"{mark} *{_escaped(headline(alert))}* - {_escaped(source)}, {_time(alert)}\n{_escaped(alert.text)}"
    )
    return {"text": text}


def email_message(alert: Alert, source: str, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """Return the alert as a mail; the subject holds no line break whatever the code holds."""
    message = EmailMessage()
    word = "over" if alert.over else alert.severity
    # Every kind of line break and control character, and lone surrogates, none of which a header can hold.
    code = "".join(c if c.isprintable() else " " for c in alert.code)
    message["Subject"] = f"[{source}] {word}: {code}"
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    body = f"{headline(alert)}\n{_time(alert)}\n\n{alert.text}\n"
    message.set_content(body.encode("utf-8", "replace").decode())
    return message


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(alert: Alert) -> str:
    return f"{datetime.fromtimestamp(alert.at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"
