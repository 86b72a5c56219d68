"""`hean doctor`: each check on both outcomes, with remedies, and secrets hidden."""

from __future__ import annotations

import json

import pytest

from hean_live.app.start import check_key
from hean_live.cli import discover, main
from hean_live.doctor import examine
from hean_live.execution.journal import Journal
from hean_live.venues.errors import KeyRefused
from models.market.trading_records import ApiKeyInfo
from tests.live.support import cache_bundle, constant_predictor, funding_bundle, local_settings
from tests.local_testnet.server import start_testnet


def findings(settings):
    return {finding.name: finding for finding in examine(settings)}


def test_a_working_set_up(tmp_path, testnet):
    settings = local_settings(tmp_path, testnet)
    cache_bundle(settings, funding_bundle(constant_predictor(0.001)))
    found = findings(settings)
    assert {name for name, row in found.items() if not row.ok} == {"model registry"}
    assert "mlflow.db does not exist" in found["model registry"].detail
    assert "cannot withdraw" in found["API key"].detail
    assert "E1 passed" in found["model bundle"].detail
    assert all(row.ok or row.remedy for row in found.values())


def test_what_fails_says_what_to_do(tmp_path, testnet):
    settings = local_settings(
        tmp_path, testnet, symbols=("NOSUCHUSDT",), tracking_uri=f"sqlite:///{tmp_path}/no.db"
    )
    testnet.clock(wall_offset_ms=-800)
    (tmp_path / "KILL").touch()
    found = findings(settings)
    assert "NOSUCHUSDT" in found["order venue"].detail
    # Half of what the question took is uncertain: on a busy machine some milliseconds.
    assert int(found["clock offset"].detail.split()[0]) == pytest.approx(800, abs=100)
    assert "NTP" in found["clock offset"].remedy or "clock" in found["clock offset"].remedy
    assert not found["market data"].ok
    assert not found["model bundle"].ok
    assert "re-arm" in found["kill switch"].remedy
    assert all(row.remedy for row in found.values() if not row.ok)


def test_an_unreachable_venue_and_an_unwritable_home(tmp_path, testnet):
    (tmp_path / "file").write_text("")
    settings = local_settings(tmp_path / "file" / "home", testnet, order_url="http://127.0.0.1:9")
    found = findings(settings)
    assert not found["home folder"].ok
    assert "HEAN_HOME" in found["home folder"].remedy
    assert not found["order venue"].ok
    assert not found["API key"].ok


def test_a_tripped_switch_is_shown(tmp_path, testnet):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.set_meta("kill_switch", json.dumps({"reason": "equity fell", "at_ns": 1}))
    journal.close()
    assert "equity fell" in findings(local_settings(tmp_path, testnet))["kill switch"].detail


def test_a_key_that_can_withdraw_is_refused(tmp_path):
    with start_testnet(("BTCUSDT",), days=2, can_withdraw=True) as testnet:
        found = findings(local_settings(tmp_path, testnet))["API key"]
    assert not found.ok
    assert "withdraw" in found.detail
    assert "create a key" in found.remedy


def test_the_executor_refuses_to_start_with_such_a_key(tmp_path):
    from tests.live.support import make_runner

    with (
        start_testnet(("BTCUSDT",), days=2, can_withdraw=True) as testnet,
        pytest.raises(KeyRefused, match="withdraw"),
    ):
        make_runner(local_settings(tmp_path, testnet))


@pytest.mark.parametrize(
    ("read_only", "wallet", "contracts", "refused"),
    [
        (False, (), ("Order", "Position"), False),
        (False, ("AccountTransfer",), ("Order", "Position"), False),
        (False, ("Withdraw",), ("Order", "Position"), True),
        (True, (), ("Order", "Position"), True),
        (False, (), (), True),
    ],
)
def test_permissions(read_only, wallet, contracts, refused):
    info = ApiKeyInfo(read_only, {"Wallet": wallet, "ContractTrade": contracts}, (), None, True)
    if refused:
        with pytest.raises(KeyRefused):
            check_key(info)
    else:
        assert check_key(info) is None


def test_the_command_prints_for_people_and_programs(tmp_path, testnet, monkeypatch, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    monkeypatch.setenv("HEAN_LIVE_ENVIRONMENT", "local")
    monkeypatch.setenv("HEAN_LIVE_SYMBOLS", "BTCUSDT,ETHUSDT")
    monkeypatch.setenv("HEAN_LIVE_ORDER_URL", testnet.base_url)
    monkeypatch.setenv("HEAN_LIVE_API_KEY", testnet.api_key)
    monkeypatch.setenv("HEAN_LIVE_API_SECRET", testnet.api_secret)
    commands = [point for point in discover() if point.name == "doctor"]
    assert main(["doctor"], commands) == 1
    text = capsys.readouterr().out
    assert "✓ order venue" in text
    assert "✗ model bundle" in text
    assert "remedy:" in text
    assert testnet.api_secret not in text
    assert main(["doctor", "--json"], commands) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["settings"]["api_secret"] == "set, hidden"
    assert {row["name"] for row in body["checks"]} >= {"clock offset", "API key", "model registry"}


def test_wrong_settings_are_code_2(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    monkeypatch.setenv("HEAN_LIVE_NO_SUCH", "1")
    assert main(["doctor"], [point for point in discover() if point.name == "doctor"]) == 2
    assert "HEAN_LIVE_NO_SUCH" in capsys.readouterr().err
