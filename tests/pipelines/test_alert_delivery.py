"""Alerts of the pipelines against a real HTTP server and a real mail server on loopback; what was said outlives processes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from hean_pipelines.resources.alert_delivery import FOREVER_S, Alerts, Mail, Webhook
from hean_pipelines.settings import load_settings
from models.alerts import Alert
from tests.pipelines.listings.webhook import Hook, serve_hook
from tests.support import ROOT

HOUR_NS = 3600 * 10**9


@pytest.fixture
def hook() -> Iterator[Hook]:
    with serve_hook() as server:
        yield server


class _Inbox:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:
        self.mails.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[_Inbox, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    handler = _Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def failed(at_ns: int = 0, **options) -> Alert:
    return Alert("RUN_FAILED retrain_funding", "a step failed", "warning", at_ns, **options)


def test_both_channels_from_settings_get_it_once(tmp_path: Path, hook: Hook, inbox: tuple[_Inbox, int]):
    handler, port = inbox
    settings = load_settings(
        home=tmp_path,
        alert_webhook_url=hook.url,
        alert_email_to="me@example.org",
        alert_smtp_host="127.0.0.1",
        alert_smtp_port=port,
        alert_smtp_tls=False,
    )
    # Each time a new object, as sensors and runs are new processes.
    assert Alerts.from_settings(settings).tell(failed())
    assert not Alerts.from_settings(settings).tell(failed(HOUR_NS))
    assert [text for text in hook.texts if "RUN_FAILED" in text] == hook.texts
    assert (len(hook.texts), len(handler.mails)) == (1, 1)
    assert "Subject: [hean pipelines] warning: RUN_FAILED retrain_funding" in handler.mails[0]
    later = Alerts.from_settings(settings)
    assert later.tell(failed(5 * HOUR_NS))
    assert "1 more of these" in hook.texts[1]


def test_the_end_is_told_where_the_beginning_was_and_the_next_beginning_at_once(tmp_path: Path, hook: Hook):
    def alerts() -> Alerts:
        return Alerts(tmp_path / "a.sqlite", (Webhook(hook.url),))

    assert not alerts().tell(failed(0, over=True))
    assert alerts().tell(failed(1))
    assert alerts().tell(failed(2, over=True))
    assert not alerts().tell(failed(3, over=True))
    assert alerts().tell(failed(4))
    assert len(hook.texts) == 3


def test_what_happens_once_is_said_once_for_ever(tmp_path: Path, hook: Hook):
    century_ns = 100 * 365 * 24 * HOUR_NS
    for at_ns in (0, century_ns // 2, century_ns):
        alerts = Alerts(tmp_path / "a.sqlite", (Webhook(hook.url),))
        alerts.tell(Alert("NEW_LISTING X", "x", "info", at_ns), FOREVER_S)
    assert len(hook.texts) == 1


def test_a_channel_that_refuses_is_tried_again_and_nothing_is_lost(tmp_path: Path, hook: Hook):
    hook.replies = [500, 404]
    alerts = Alerts(tmp_path / "a.sqlite", (Webhook(hook.url),))
    assert alerts.tell(failed())
    assert alerts.deliver() == 1
    assert alerts.deliver() == 0
    assert len(hook.texts) == 1
    assert alerts.deliver() == 0
    assert len(hook.texts) == 1


def test_two_processes_send_one_message(tmp_path: Path, hook: Hook):
    code = (
        "import sys; from pathlib import Path; from hean_pipelines.resources.alert_delivery import *; "
        "alerts = Alerts(Path(sys.argv[1]), (Webhook(sys.argv[2]),)); "
        "[alerts.tell(Alert(f'CODE {n}', 'x', 'info', 0)) for n in range(10)]"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.sqlite"), hook.url]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert sorted(text.split("*")[1] for text in hook.texts) == [f"CODE {n}" for n in range(10)]


def test_no_secret_in_words_or_forms(tmp_path: Path, hook: Hook, caplog: pytest.LogCaptureFixture):
    away = Webhook("http://127.0.0.1:9/services/T0/B0/secretpart", timeout_s=1.0)
    alerts = Alerts(tmp_path / "a.sqlite", (away,))
    alerts.tell(failed())
    assert "could not be sent by webhook" in caplog.text
    mail = Mail("localhost", 25, "a", ("b",), "user", "secretpart")
    assert "secretpart" not in caplog.text + repr(away) + repr(mail) + repr(alerts)
    settings = load_settings(home=tmp_path, alert_webhook_url=hook.url, alert_smtp_password="secretpart")
    assert "secretpart" not in repr(settings) + str(settings.effective())


def test_a_mail_server_without_tls_is_refused(tmp_path: Path, inbox: tuple[_Inbox, int]):
    handler, port = inbox
    alerts = Alerts(tmp_path / "a.sqlite", (Mail("127.0.0.1", port, "a@example.org", ("b@example.org",)),))
    alerts.tell(failed())
    assert handler.mails == []
    assert alerts.deliver() == 1
