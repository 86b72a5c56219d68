"""What is said, how often, and its two written forms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.alerts import Alert, Deduplicator, email_message, slack_payload

HOUR_NS = 3600 * 10**9


def alert(code="STALE BTCUSDT", text="no datum for 61 s", severity="warning", at_ns=0, over=False):
    return Alert(code, text, severity, at_ns, over)


def test_a_code_is_said_once_in_the_quiet_time_and_then_with_the_number_held_back():
    says = Deduplicator(HOUR_NS)
    assert says.admit(alert(at_ns=0)) == alert(at_ns=0)
    assert says.admit(alert(at_ns=1)) is None
    assert says.admit(alert(at_ns=HOUR_NS - 1)) is None
    again = says.admit(alert(at_ns=HOUR_NS))
    assert again is not None
    assert "2 more" in again.text


def test_codes_do_not_silence_each_other():
    says = Deduplicator(HOUR_NS)
    assert says.admit(alert(code="A")) is not None
    assert says.admit(alert(code="B")) is not None


def test_the_end_is_told_only_where_the_beginning_was():
    says = Deduplicator(HOUR_NS)
    assert says.admit(alert(over=True)) is None
    says.admit(alert())
    assert says.admit(alert(at_ns=5, over=True)) == alert(at_ns=5, over=True)
    assert says.admit(alert(at_ns=6, over=True)) is None
    assert says.admit(alert(at_ns=7)) is not None  # a new beginning is news


def test_a_graver_word_of_the_same_code_is_not_held_back():
    says = Deduplicator(HOUR_NS)
    says.admit(alert(severity="warning"))
    assert says.admit(alert(severity="critical", at_ns=1)) is not None
    assert says.admit(alert(severity="critical", at_ns=2)) is None


def test_slack_text_escapes_what_slack_reads_as_markup():
    text = slack_payload(alert(text="a < b & c > d <!channel>"), "hean (testnet)")["text"]
    assert "a &lt; b &amp; c &gt; d &lt;!channel&gt;" in text
    assert "1970-01-01 00:00:00 UTC" in text


@given(st.text(max_size=80), st.text(max_size=200))
def test_a_mail_can_be_built_and_read_back_whatever_the_words(code, text):
    message = email_message(
        alert(code=code, text=text), "hean", "a@example.org", ("b@example.org", "c@example.org")
    )
    assert message["To"] == "b@example.org, c@example.org"
    assert "\n" not in message["Subject"]
    assert bytes(message)
