"""Alerts against a real HTTP server and a real mail server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from hean_live.alerts.channels import Mail, Webhook
from hean_live.alerts.sender import AlertSender
from models.alerts import Alert
from models.errors import HeanError, Retryable


class _Hook(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[dict[str, str]] = []
        self.replies: list[int] = []

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"http://127.0.0.1:{self.server_port}/services/T0/B0/secretpart")


class _Handler(BaseHTTPRequestHandler):
    server: _Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.replies.pop(0) if self.server.replies else 200
        if status == 200:
            self.server.bodies.append(json.loads(body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[_Hook]:
    server = _Hook()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class _Inbox:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:
        self.mails.append(envelope.content.decode())  # type: ignore[attr-defined]
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[_Inbox, int]]:
    handler = _Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=0)
    # Port 0 is a free one; the library then connects to it to see whether it serves.
    controller.port = _free_port()
    controller.start()
    yield handler, controller.port
    controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill(at_ns: int = 0) -> Alert:
    return Alert(
        "KILL_SWITCH", "equity 79.00 USD <= 80.00 USD; re-arm with hean live --re-arm", "critical", at_ns
    )


def until(done, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.01)
    return False


def test_an_alert_reaches_both_channels_once(hook, inbox):
    handler, port = inbox
    mail = Mail("127.0.0.1", port, "hean@example.org", ("me@example.org",), "hean", tls=False)
    sender = AlertSender([Webhook(hook.url, "hean executor"), mail], backoff_s=0.01)
    sender.tell(kill())
    sender.tell(kill(1))
    sender.close()
    assert len(hook.bodies) == 1
    assert "KILL_SWITCH" in hook.bodies[0]["text"]
    assert len(handler.mails) == 1
    assert "Subject: [hean] critical: KILL_SWITCH" in handler.mails[0]
    assert (sender.sent, sender.failed) == (2, 0)


def test_a_busy_webhook_is_asked_again_and_a_refusing_one_is_not(hook):
    hook.replies = [429, 503, 200]
    sender = AlertSender([Webhook(hook.url, "hean")], backoff_s=0.01)
    sender.tell(kill())
    assert until(lambda: sender.sent == 1)
    hook.replies = [404]
    sender.tell(Alert("OTHER", "words", "warning", 2))
    assert until(lambda: sender.failed == 1)
    assert hook.replies == []
    sender.close()


def test_a_channel_that_is_away_holds_nothing_up_and_is_logged_without_its_address(caplog):
    away = Webhook(SecretStr("http://127.0.0.1:9/services/T0/B0/secretpart"), "hean")
    sender = AlertSender([away], attempts=2, backoff_s=0.01)
    sender.tell(kill())
    assert until(lambda: sender.failed == 1)
    sender.close()
    assert "could not be sent" in caplog.text
    assert "secretpart" not in caplog.text


def test_errors_and_forms_never_hold_the_secret(hook):
    hook.replies = [403]
    webhook = Webhook(hook.url, "hean")
    with pytest.raises(HeanError) as refused:
        webhook.send(kill())
    assert "secretpart" not in str(refused.value) + repr(webhook)


def test_a_mail_server_without_tls_is_refused_where_tls_is_asked_for(inbox):
    _, port = inbox
    with pytest.raises(Retryable, match="mail server"):
        Mail("127.0.0.1", port, "a@example.org", ("b@example.org",), "hean").send(kill())


def test_without_channels_an_alert_is_in_the_log(caplog):
    sender = AlertSender([])
    sender.tell(kill())
    sender.close()
    assert "KILL_SWITCH" in caplog.text
