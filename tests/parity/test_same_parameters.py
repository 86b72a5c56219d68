"""Research and executor compute the features of a symbol with the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hean_live.app.regime_model import params_of
from hean_live.market.markets import Markets
from hean_live.shadow.contracts import ShadowContract
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from hean_pipelines.backtest.plan import make_plan
from hean_pipelines.studies.outcome import Market
from hean_pipelines.studies.tapes import Tape, synthetic_tape
from models.market.feature_params import FeatureParams, params_record
from models.simulation.order_flow.scenarios import everything

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
CONTRACT = ShadowContract(0.01, 0.1, 0.0002, 0.00055)


def executors(symbol: str, testnet: bool = False) -> list[bytes]:
    """Parameters of the streams' market record and of the shadows' bank."""
    streams = Markets([symbol], [0.01], params_of(None, (symbol,), 0, testnet=testnet)).state
    service = ShadowService(
        {symbol: CONTRACT}, EventTap([symbol]), 10_000.0, ("impact_reversion",), testnet=testnet
    )
    [bank] = service.make_banks()
    return [streams["params"][0].tobytes(), bank._run.symbols["params"][0].tobytes()]


def research(symbol: str, recording: Path) -> list[bytes]:
    """Parameters of backtests on the slow and on a recorded market, and of studies."""
    slow = make_plan("S5", market="slow", symbol=symbol)
    recorded = make_plan("S5", market="recorded", symbol=symbol, tapes=(recording,))
    tape = Tape(Market("recorded", "", symbol, None, (), 1.0), 0.01, 0.1, lambda: iter(()))
    return [params_record(own).tobytes() for own in (slow.features, recorded.features, tape.features())]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_one_symbol_means_the_same_numbers_everywhere(symbol: str, tmp_path: Path) -> None:
    recording = tmp_path / "tape.jsonl"
    recording.touch()
    known = {*executors(symbol), *research(symbol, recording)}
    assert len(known) == 1
    assert Markets([symbol], [0.01]).state["params"][0].tobytes() in known
    on_testnet = set(executors(symbol, testnet=True))
    assert len(on_testnet) == 1
    assert not on_testnet & known


def test_a_synthetic_market_of_ticks_has_the_features_of_the_symbol_whose_turnover_it_has() -> None:
    for symbol in SYMBOLS:
        plan = make_plan("S5", symbol=symbol)
        assert plan.features == FeatureParams()
        assert plan.facts()["vpin_bucket_usd"] == 50_000.0
    assert make_plan("S5", market="slow", symbol="SOLUSDT").facts()["vpin_bucket_usd"] == 10_000.0
    tape = synthetic_tape(everything(), 1, 1.0, "planted truth")
    second = FeatureParams(tick_ns=1_000_000_000, vpin_bucket_usd=1.0)
    assert tape.features() == FeatureParams()
    assert tape.features(second) == second._replace(vpin_bucket_usd=50_000.0)
