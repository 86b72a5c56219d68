"""One life of the executor's process in a simulation: the real loop and books around a simulated venue and market.

Simulated are only what a process finds outside of itself: the venue's client, the tickers, forecasts. Whatever is not
in the journal is gone with the life.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from hean_live.app.alarms import Alarms
from hean_live.app.bank.sizing import system_of
from hean_live.app.campaigns.phases import QuotingRules
from hean_live.app.engine import Engine, EngineRules
from hean_live.app.feed import Feed
from hean_live.app.forecaster import ForecastWorker
from hean_live.app.gates import GateRules
from hean_live.app.model_store import ModelStore
from hean_live.app.runner import STATE_KEY, Options, Parts, Runner
from hean_live.app.snapshot import Forecasted, MatrixCell, ModelView, Settled, WantForecast, WantSettled
from hean_live.app.trading import TradingRules, build_account
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.replay.log import InputLog, LogRules
from hean_live.simulation.bank import SimulatedBank
from hean_live.simulation.market import SimulatedMarket
from hean_live.simulation.network import RECV_WINDOW_S, FaultyNetwork, SimulatedClient
from hean_live.simulation.script import REGIMES
from hean_live.simulation.stream import SimulatedStream
from hean_live.venues.public import PublicMarket, TickerPage
from models.portfolio.limits import Limits
from models.portfolio.policy import Policy
from models.regimes.rules import DISTRIBUTION
from models.strategies import funding_pressure as s1

if TYPE_CHECKING:  # the real ones bring sockets and compiled kernels, which nothing here needs
    from hean_live.app.streams import Streams
    from hean_live.shadow.service import ShadowService

ENTRY_BEFORE_S = 120
LIMITS = Limits(forecast_age_s=200.0, ticker_age_s=20.0)
LEVERAGE = Decimal(3)
RULES = EngineRules(
    strategy=s1.Params(entry_before_s=ENTRY_BEFORE_S, entry_window_s=60, exit_after_s=10, min_confidence=0.5),
    gates=GateRules(LIMITS, Decimal("0.01"), Decimal("0.02"), Decimal("0.03"), LEVERAGE),
    quoting=QuotingRules(max_requotes=3, entry_maker_s=30.0, exit_maker_s=15.0),
    horizons_min=(ENTRY_BEFORE_S // 60,),
    # One strategy of the bank leaves by tiers; a force-hold of S1's would outlast the simulation.
    exit_plans={"S18": "ladder"},
)
TRADING = TradingRules(
    limits=LIMITS,
    leverage=LEVERAGE,
    lost_after_s=RECV_WINDOW_S + 2.0,
    written_off_after_s=20.0,
    idle_s=60.0,
    open_s=10.0,
)


_TAKER_FEE = Decimal("0.00055")
_PAYS = MatrixCell(400, 5.0, 0.99, 50.0, 0.1)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


class MortalJournal(Journal):
    """The real journal, whose process may die before any statement.

    Parameters
    ----------
    path : Path
    step : callable
        Called before each statement.

    """

    def __init__(self, path: Path, step: Callable[[str], None]) -> None:
        self._step: Callable[[str], None] | None = None
        super().__init__(path, fsync=False)  # processes die here, not machines
        self._step = step

    def _execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        if self._step is not None:
            self._step("statement")
        return super()._execute(query, values)


class SimulatedTickers:
    """Public market data over the faulty network."""

    def __init__(self, network: FaultyNetwork, market: SimulatedMarket) -> None:
        self._network = network
        self._market = market

    def tickers(self) -> TickerPage:
        """Return all tickers."""
        return self._network.send("tickers", self._page, command=False)

    def clock_offset_ms(self) -> float:
        """Return the executor's clock minus the venue's."""
        return self._network.send("time", lambda _: self._network.offset_ms(), command=False)

    def _page(self, as_of_ns: int) -> TickerPage:
        at_ms = as_of_ns // 1_000_000
        return TickerPage(
            as_of_ns, {symbol: self._market.ticker(symbol, at_ms) for symbol in self._market.symbols}
        )


class SimulatedForecasts:
    """Answers at once with forecasts drawn beforehand, and with the rate settled.

    Parameters
    ----------
    settled : callable
        Returns the rate of a settlement (ns UTC), None where there was none: nobody can tell the rate of one that never was.
    edges : dict of str to float
        Forecast rate by symbol.

    """

    def __init__(self, settled: Callable[[int], float | None], edges: dict[str, float]) -> None:
        self._settled = settled
        self._edges = edges
        self._results: list[Forecasted | Settled] = []

    def ask(self, task: WantForecast | WantSettled, now_ns: int, _model: object) -> None:
        """Take a task."""
        if isinstance(task, WantSettled):
            rate = self._settled(task.settlement_ns)
            if rate is not None:
                self._results.append(Settled(task.symbol, task.settlement_ns, rate))
            return
        edge = self._edges[task.symbol]
        self._results.append(
            Forecasted(
                symbol=task.symbol,
                settlement_ns=task.settlement_ns,
                horizon_min=task.horizon_min,
                made_at_ns=now_ns,
                model_version="simulated",
                predicted=edge,
                q05=edge,
                q50=edge,
                q95=edge,
                current=0.0,
                probability_above=0.95 if edge > 0 else 0.05,
                probability_below=0.05 if edge > 0 else 0.95,
                regime="RANGE",
            )
        )

    def drain(self) -> list[Forecasted | Settled]:
        """Return what is done."""
        results, self._results = self._results, []
        return results

    def close(self) -> None:
        """Nothing to end."""


@dataclass(frozen=True)
class _Champion:
    """Stands for a loaded bundle: the loop only asks whether there is one."""

    version: str = "simulated"
    predictor: str = "simulated"


class SimulatedModel:
    """A champion that may trade.

    Parameters
    ----------
    policy : Policy, optional
        By which strategies of the bank trade too; all of them then pay in every regime.

    """

    model = _Champion()
    policy_version = ""
    regimes = None

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy
        names = () if policy is None else policy.strategies
        self.matrix: Mapping[tuple[str, str], MatrixCell] = MappingProxyType(
            {(system_of(name), regime): _PAYS for name in names for regime in (*REGIMES, DISTRIBUTION)}
        )

    def view(self, _now_ns: int) -> ModelView:
        """Return what the gates ask for."""
        return ModelView("simulated", True, "", ())


def _rate_of(market: SimulatedMarket) -> Callable[[int], float | None]:
    """Return who knows the rate of the market's one settlement."""
    return lambda at_ns: float(market.rate) if at_ns == market.settlement_ms * 1_000_000 else None


class Life:
    """One process from its start to its death.

    Parameters
    ----------
    home : Path
        Folder of the journal.
    network : FaultyNetwork
    market : SimulatedMarket
    stream : SimulatedStream
    edges : dict of str to float
        Forecast minus last rate, by symbol.
    step : callable
        Called wherever the process may die.
    client : callable
        Makes the venue's client; tests plant faults of the executor here.
    bank : SimulatedBank, optional
        The shadows; without them S1 trades alone.
    policy : Policy, optional
        By which the shadows' strategies may trade.
    record : LogRules, optional
        How the engine's inputs are written down beside the journal, to be replayed; not at all without.

    """

    def __init__(
        self,
        home: Path,
        network: FaultyNetwork,
        market: SimulatedMarket,
        stream: SimulatedStream,
        edges: dict[str, float],
        step: Callable[[str], None],
        client: SimulatedClient,
        *,
        bank: SimulatedBank | None = None,
        policy: Policy | None = None,
        record: LogRules | None = None,
    ) -> None:
        clock = network.venue.clock
        self.journal = MortalJournal(home / "journal.sqlite", step)
        alarms = Alarms(self.journal)
        self.kill_switch = KillSwitch(self.journal, home, Decimal("0.20"))
        tickers = cast(PublicMarket, SimulatedTickers(network, market))
        feed = Feed(tickers, tickers, alarms, clock_check_s=20.0, monotonic=clock.monotonic)
        self.account = build_account(
            client, self.journal, self.kill_switch, alarms, feed, TRADING, monotonic=clock.monotonic
        )
        self.engine = Engine(market.symbols, RULES, self.journal.meta(STATE_KEY) or "")
        self._inputs = InputLog(home, RULES, record, alarms) if record else None
        parts = Parts(
            journal=self.journal,
            engine=self.engine,
            feed=feed,
            account=self.account,
            kill_switch=self.kill_switch,
            alarms=alarms,
            models=cast(ModelStore, SimulatedModel(policy)),
            watchers={},
            worker=cast(ForecastWorker, SimulatedForecasts(_rate_of(market), edges)),
            instruments={symbol: market.instrument(symbol) for symbol in market.symbols},
            taker_fees=dict.fromkeys(market.symbols, _TAKER_FEE),
            streams=cast("Streams", stream),
            shadows=cast("ShadowService", bank),
            inputs=self._inputs,
        )
        self.runner = Runner(
            parts,
            Options(),
            poll_interval_s=1.0,
            exit_after_s=RULES.strategy.exit_after_s,
            monotonic=clock.monotonic,
        )

    def poll(self) -> None:
        """Let the loop go round once."""
        self.runner.poll()

    def stop(self, pause: Callable[[float], object]) -> None:
        """End in good order, as SIGTERM does: our orders are cancelled, positions left to their stops."""
        self.account.cancel_all(timeout_s=10.0, pause=pause)
        if self._inputs is not None:
            self._inputs.close()

    def end(self) -> None:
        """Close the handles a dead process leaves to the operating system; nothing is written."""
        self.journal.close()
