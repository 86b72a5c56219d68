"""Forecasts of the next settlement, made in a thread of their own so that the loop never waits for history.

Here belong the adapter between kept history and `models.funding`, and the thread with its queues. The
features and the predictor are the ones training used; when a forecast is due is the engine's decision.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass

from hean_live.app.history import HistoryKeeper
from hean_live.app.model_store import LoadedModel
from hean_live.app.snapshot import Forecasted, Settled, WantForecast, WantSettled
from models.errors import DataError, HeanError, SkipSymbol
from models.funding.features import FundingContext
from models.funding.predictor import FundingPredictor
from models.regimes.rules import classify_regime

log = logging.getLogger(__name__)

MINUTE_NS = 60_000_000_000


@dataclass(frozen=True)
class WarmUp:
    """Read the past of a symbol, so that the first forecast need not wait for it."""

    symbol: str


@dataclass(frozen=True)
class Failed:
    """A task that could not be done; it is asked again later."""

    task: Task
    message: str


Task = WantForecast | WantSettled | WarmUp
Result = Forecasted | Settled | Failed | WarmUp


def make_forecast(
    keeper: HistoryKeeper, predictor: FundingPredictor, version: str, task: WantForecast, now_ns: int
) -> Forecasted:
    """Make one forecast as of its horizon, whenever it is made.

    Parameters
    ----------
    keeper : HistoryKeeper
    predictor : FundingPredictor
    version : str
        Of the bundle.
    task : WantForecast
    now_ns : int
        Market time now, not before the horizon.

    Returns
    -------
    Forecasted

    Raises
    ------
    SkipSymbol
        If too little is known of the symbol.
    Retryable
        If the venue could not be asked.

    """
    at_ns = task.settlement_ns - task.horizon_min * MINUTE_NS
    inputs = keeper.inputs(task.symbol, now_ns).as_of(at_ns)
    row = FundingContext(inputs).row(task.settlement_ns, at_ns, float(task.interval_h))
    if row is None:
        raise SkipSymbol(f"{task.symbol}: a feature row was expected, too little of the premium is known")
    forecast = predictor.forecast(row)
    above = forecast.probability_above(forecast.current)
    return Forecasted(
        symbol=task.symbol,
        settlement_ns=task.settlement_ns,
        horizon_min=task.horizon_min,
        made_at_ns=at_ns,
        model_version=version,
        predicted=forecast.predicted,
        q05=forecast.q05,
        q50=forecast.q50,
        q95=forecast.q95,
        current=forecast.current,
        probability_above=above,
        probability_below=1.0 - above,
        regime=classify_regime(keeper.closes_5m(task.symbol, at_ns)),
    )


def find_settled(keeper: HistoryKeeper, task: WantSettled) -> Settled:
    """Return the rate paid at a settlement; raises DataError while the venue does not show it."""
    stamps, rates = keeper.settlements(task.symbol)
    for ts, rate in zip(stamps.tolist(), rates.tolist(), strict=True):
        if ts == task.settlement_ns:
            return Settled(task.symbol, task.settlement_ns, rate)
    raise DataError(f"{task.symbol}: the settlement was expected in the funding history, is not there yet")


class ForecastWorker:
    """Does tasks one after another in a daemon thread.

    Parameters
    ----------
    keeper : HistoryKeeper
        Used by this thread only.

    """

    def __init__(self, keeper: HistoryKeeper) -> None:
        self._keeper = keeper
        self._tasks: queue.Queue[tuple[Task, int, LoadedModel | None] | None] = queue.Queue()
        self._results: queue.Queue[Result] = queue.Queue()
        self._pending: set[Task] = set()
        self._thread = threading.Thread(target=self._run, name="forecasts", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask(self, task: Task, now_ns: int, model: LoadedModel | None) -> None:
        """Queue a task unless it is queued already.

        Parameters
        ----------
        task : WantForecast, WantSettled or WarmUp
        now_ns : int
            Market time.
        model : LoadedModel or None
            The model in use when the task was asked for.

        """
        if task not in self._pending:
            self._pending.add(task)
            self._tasks.put((task, now_ns, model))

    def drain(self) -> list[Result]:
        """Return what has been done since the last call."""
        done: list[Result] = []
        while True:
            try:
                result = self._results.get_nowait()
            except queue.Empty:
                return done
            self._pending.discard(_task_of(result, self._pending))
            done.append(result)

    def close(self, timeout_s: float = 1.0) -> None:
        """Ask the thread to end after its present task, and wait a moment for it."""
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._tasks.get()) is not None:
            task, now_ns, model = item
            try:
                self._results.put(self._do(task, now_ns, model))
            except HeanError as error:
                self._results.put(Failed(task, str(error)))
            except Exception as error:  # the thread's outermost frame: a dead thread would mean silence
                log.exception("forecast task failed: %s", task)
                self._results.put(Failed(task, f"{type(error).__name__}: {error}"))

    def _do(self, task: Task, now_ns: int, model: LoadedModel | None) -> Result:
        if isinstance(task, WarmUp):
            self._keeper.inputs(task.symbol, now_ns)
            return task
        if isinstance(task, WantSettled):
            return find_settled(self._keeper, task)
        if model is None or model.predictor is None:
            raise DataError(f"{task.symbol}: a usable model was expected, none is loaded")
        return make_forecast(self._keeper, model.predictor, model.version, task, now_ns)


def _task_of(result: Result, pending: set[Task]) -> Task:
    """Return the task a result answers."""
    if isinstance(result, Failed):
        return result.task
    if isinstance(result, WarmUp):
        return result
    if isinstance(result, Settled):
        return WantSettled(result.symbol, result.settlement_ns)
    for task in pending:
        if isinstance(task, WantForecast) and (task.symbol, task.settlement_ns, task.horizon_min) == (
            result.symbol,
            result.settlement_ns,
            result.horizon_min,
        ):
            return task
    raise DataError(f"a forecast of {result.symbol} answers no task")
