"""From signals to sizes: rotation, gates, conflicts, allocation, conviction and size, one after the other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from models.gates.order import GateRules, Verdict, pass_gates
from models.gates.records import AccountFacts, Candidate, Facts, Fees, PolicyFacts, Standing
from models.portfolio.allocation import Allocation, allocate
from models.portfolio.conflicts import Contender, Holder, resolve_conflicts
from models.portfolio.conviction import ConvictionRules, convict, size_entry, volatility_factor
from models.portfolio.rotator import Rotation, Value, rotate
from models.portfolio.sizing import Sized, SizeRequest, SizerZero
from tests.gates.facts import MARKET, NOON

LIVE = ("impulse_engine", "liquidity_sweep", "momentum_trader")
STANDINGS = {name: Standing("live", "promoted") for name in LIVE}
VALUES = {(name, "IMPULSE_MARKUP"): Value(9.0, 0.1, 50) for name in LIVE}
CONVICTION = ConvictionRules()
CHEAP = SizeRequest(D(300), D("0.5"), D("0.02"), D(1), D(1), D(5), leverage=D(3))
DEAR = SizeRequest(D(300), D(90000), D("0.02"), D("0.001"), D("0.001"), D(5), leverage=D(3))


def _verdict(name: str, symbol: str, side: int, rotation: Rotation) -> Verdict:
    account = AccountFacts({symbol: Fees(2.0, 5.5)}, free_slots=8)
    given = Facts(NOON, MARKET, account, PolicyFacts(standings=STANDINGS), rotation)
    return pass_gates(Candidate(name, symbol, side, NOON, expected_edge_bps=25.0), given, GateRules())


def _decide(
    wanted: list[tuple[str, str, int]],
    equity_usd: float,
    requests: dict[str, SizeRequest],
    held: dict[str, Holder],
    previous: Allocation | None = None,
) -> dict[tuple[str, str], str | Sized | SizerZero]:
    """What becomes of each signal: the reason it was stopped for, or its size."""
    allocation = allocate(LIVE, equity_usd, {"IMPULSE_MARKUP": 1.0}, {}, previous, NOON, False)
    ends: dict[tuple[str, str], str | Sized | SizerZero] = {}
    passed: dict[tuple[str, str], tuple[Verdict, Rotation]] = {}
    for name, symbol, side in wanted:
        rotation = rotate(symbol, "IMPULSE_MARKUP", LIVE, VALUES, equity_usd, None, NOON)
        verdict = _verdict(name, symbol, side, rotation)
        if verdict.passed:
            passed[name, symbol] = (verdict, rotation)
        else:
            ends[name, symbol] = verdict.blocks[0].reason
    contenders = [
        Contender(name, symbol, verdict.candidate.side, 12.0 / 200.0)
        for (name, symbol), (verdict, _) in passed.items()
    ]
    winners, losers = resolve_conflicts(contenders, held)
    ends |= {(loser.contender.strategy, loser.contender.symbol): loser.reason for loser in losers}
    for winner in winners:
        verdict, rotation = passed[winner.strategy, winner.symbol]
        factors = {**verdict.factors, "volatility": volatility_factor(0.03, CONVICTION)}
        left = allocation.shares.get(winner.strategy, 0.0)
        exploring = rotation.activations[winner.strategy].exploring
        conviction = convict(winner.strategy, factors, None, left, exploring, CONVICTION)
        request = replace(requests[winner.symbol], equity=D(str(equity_usd)))
        ends[winner.strategy, winner.symbol] = size_entry(request, conviction)
    return ends


def test_a_small_account_trades_what_it_can_size_and_says_what_it_cannot() -> None:
    ends = _decide(
        [
            ("impulse_engine", "BTCUSDT", 1),
            ("impulse_engine", "XRPUSDT", 1),
            ("liquidity_sweep", "XRPUSDT", -1),
            ("momentum_trader", "DOGEUSDT", 1),
        ],
        300.0,
        {"BTCUSDT": DEAR, "XRPUSDT": CHEAP, "DOGEUSDT": CHEAP},
        {},
    )
    refused = ends["impulse_engine", "BTCUSDT"]
    assert isinstance(refused, SizerZero)
    assert "< minimum quantity 0.001" in refused.arithmetic
    traded = ends["impulse_engine", "XRPUSDT"]
    assert isinstance(traded, Sized)
    # 0.8 % of 300 USD at leverage 3.
    assert traded.notional == D("7.0")
    assert ends["liquidity_sweep", "XRPUSDT"] == "ROTATED_OUT"
    # Live and active, but its tier gives it no capital.
    none = ends["momentum_trader", "DOGEUSDT"]
    assert isinstance(none, SizerZero)
    assert "allocation left 0" in none.arithmetic


def test_a_larger_account_trades_them_all_but_one_a_symbol() -> None:
    ends = _decide(
        [
            ("impulse_engine", "BTCUSDT", 1),
            ("momentum_trader", "BTCUSDT", -1),
            ("momentum_trader", "XRPUSDT", 1),
        ],
        20_000.0,
        {"BTCUSDT": DEAR, "XRPUSDT": CHEAP},
        {},
    )
    assert isinstance(ends["impulse_engine", "BTCUSDT"], Sized)
    assert ends["momentum_trader", "BTCUSDT"] == "CONFLICT"
    assert isinstance(ends["momentum_trader", "XRPUSDT"], Sized)


def test_a_symbol_that_is_held_is_not_entered_by_another() -> None:
    ends = _decide(
        [("impulse_engine", "BTCUSDT", 1)],
        20_000.0,
        {"BTCUSDT": DEAR},
        {"BTCUSDT": Holder("momentum_trader", 1)},
    )
    assert ends == {("impulse_engine", "BTCUSDT"): "CONFLICT"}
