"""The bank of one symbol on live data: takes events, and says what its strategies did.

It is the loop of backtest and tournament (`models.simulation.bank`), stretch by stretch; nothing here decides. What happened is
read from the arrays the loop writes, which are emptied while nothing of a strategy is under way, so that a bank that runs for
months does not grow. What does not belong here: threads, sockets, and what the engine makes of it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hean_live.app.regime_model import RegimeFollower
from hean_live.shadow.contracts import ShadowContract
from hean_live.shadow.records import BankSignal, BankTrip, CascadeForecast, ShadowQuotes
from hean_live.shadow.resting import shadow_quotes
from models.gates.signals import features_seen, regime_name
from models.market.feature_params import FeatureParams, params_record
from models.market.symbol_params import params_of_symbol
from models.market.tape import Events
from models.portfolio.roster import Kind
from models.simulation.backtest.records import BacktestParameters
from models.simulation.bank.records import BankParameters
from models.simulation.bank.run import BankRun
from models.simulation.bank.signals import entries_sent, under_way
from models.simulation.bank.steps import NAMES, Params
from models.simulation.fills.parameters import FillParameters
from models.strategies.catalogue import CATALOGUE
from models.strategies.edges import expected_edge_bps
from models.strategies.intent import MARKET_ORDER

if TYPE_CHECKING:
    from hean_live.app.cascade_forecaster import CascadeForecaster
    from hean_live.app.regime_model import LoadedRegimes

SPARE_ROWS: Final = 128
CASCADE_S: Final = 10
_HOUR_NS: Final = 3_600_000_000_000


def venue_of(contract: ShadowContract, seed: int = 1) -> FillParameters:
    """Return the simulated venue of a contract."""
    return FillParameters(
        contract.tick_size,
        contract.lot_size,
        seed=seed,
        maker_fee=contract.maker_fee,
        taker_fee=contract.taker_fee,
        leverage=contract.leverage,
    )


class SymbolBank:
    """All strategies on one symbol.

    Parameters
    ----------
    symbol : str
    contract : ShadowContract
    capital_usd : float
        Each strategy's own, which it trades.
    names : sequence of str
        Strategies that run.
    params : steps.Params, optional
    features : FeatureParams, optional
        By default those of the symbol on the main network.
    told_usd : float, optional
        Capital as of which quantities and USD of trips are told; by default what is traded.

    """

    def __init__(
        self,
        symbol: str,
        contract: ShadowContract,
        capital_usd: float,
        names: Sequence[str] = NAMES,
        params: Params | None = None,
        features: FeatureParams | None = None,
        told_usd: float | None = None,
    ) -> None:
        self.symbol = symbol
        self._told = 1.0 if told_usd is None else told_usd / capital_usd
        parameters = BankParameters(BacktestParameters(capital_usd, _HOUR_NS))
        own = params_record(features or params_of_symbol(symbol))
        self._run = BankRun(names, venue_of(contract), parameters, params, own, SPARE_ROWS)
        self._places = [NAMES.index(name) for name in self._run.names]
        # Quotes are renewed all day: of those who make markets, the fill is the signal.
        self._quoting = {NAMES.index(n) for n in self._run.names if CATALOGUE[n].kind is Kind.MARKET_MAKING}
        self._intents_read = np.zeros(len(NAMES), np.int64)
        self._trips_read = np.zeros(len(NAMES), np.int64)
        self._signal_ns = np.zeros(len(NAMES), np.int64)
        self._was_busy = np.zeros(len(NAMES), bool)
        self._open_ns = np.zeros(len(NAMES), np.int64)
        self._cascade_ns = 0
        self._cascade = math.nan
        self._horizon = -1
        self._said: list[CascadeForecast] = []
        self._regimes = RegimeFollower([symbol], self._run.symbols)

    @property
    def newest_ns(self) -> int:
        """Receive time of the newest event taken, 0 before the first."""
        return self._run.last_ns

    def tell(self, outlooks: NDArray[np.void]) -> None:
        """Say what is known beyond the symbol's own messages from now on."""
        self._run.tell(outlooks)

    def touch(self) -> tuple[float, float, int]:
        """Return best bid and ask, and when the book was last seen whole; NaN and 0 while it may not be traded on."""
        market, book = self._run.symbols["market"][0], self._run.symbols["book"][0]
        if market["valid"] == 0 or not book["levels"].all():
            return math.nan, math.nan, 0
        # A side's best is the number of its tick, the ask's with its sign turned.
        bid, ask = book["tick_size"] * book["best"][0], -book["tick_size"] * book["best"][1]
        return float(bid), float(ask), int(market["book_at_ns"])

    def take(self, events: Events) -> tuple[list[BankSignal], list[BankTrip]]:
        """Take events, in order; returns what began and what ended. Of several rounds within one call the last is a signal.

        Raises
        ------
        DataError
            When more was under way than there is room for.

        """
        self._run.take(events)
        signals: list[BankSignal] = []
        trips: list[BankTrip] = []
        shared = self._run.bank.shared
        busy = under_way(shared)
        changed = (
            (shared.counts["intents"] != self._intents_read)
            | (shared.trip_counts != self._trips_read)
            | (shared.open_trips["entry_ns"] != self._open_ns)
        )
        for place in np.flatnonzero(changed).tolist():
            signals += self._signals(place)
            trips += self._trips(place)
        self._was_busy = busy
        self._open_ns = shared.open_trips["entry_ns"].copy()
        self._empty()
        return signals, trips

    def cascade_probability(self, forecaster: CascadeForecaster) -> float:
        """Return what M2 says of the symbol's market as of the last tick, read again every `CASCADE_S`; NaN without an answer."""
        at_ns = int(self._run.symbols["market"]["tick_at_ns"][0])
        if at_ns - self._cascade_ns >= CASCADE_S * 1_000_000_000:
            self._cascade_ns = at_ns
            self._cascade = forecaster.probability(self._run.symbols, 0)
            self._keep(forecaster, at_ns)
        return self._cascade

    def said(self) -> list[CascadeForecast]:
        """Return what of M2 is to be kept since the last call."""
        said, self._said = self._said, []
        return said

    def follow_regimes(self, loaded: LoadedRegimes | None) -> None:
        """Filter with the regime models in use now (M4)."""
        self._regimes.follow(loaded, self._run.last_ns)

    def _keep(self, forecaster: CascadeForecaster, at_ns: int) -> None:
        if math.isnan(self._cascade):
            return
        horizon = at_ns // round(forecaster.horizon_s * 1e9)
        if horizon != self._horizon:
            self._horizon = horizon
            self._said.append(
                CascadeForecast(
                    self.symbol,
                    at_ns,
                    self._cascade,
                    forecaster.horizon_s,
                    forecaster.version,
                    forecaster.features_hash,
                    forecaster.manifest.feature_spec_hash,
                )
            )

    def holding(self) -> list[str]:
        """Return the strategies that have a position or orders under way."""
        return [NAMES[place] for place in self._places if self._was_busy[place]]

    def quotes(self, names: Collection[str]) -> list[ShadowQuotes]:
        """Return what those of these strategies that make markets quote now; nothing while the book may not be traded on."""
        market = self._run.symbols["market"][0]
        if market["valid"] == 0 or math.isnan(market["mid"]):
            return []
        places = sorted(place for place in self._quoting if NAMES[place] in names)
        return [shadow_quotes(self.symbol, self._run, place, self._signal) for place in places]

    def _signals(self, place: int) -> list[BankSignal]:
        session, shared = self._run.bank.sessions[place], self._run.bank.shared
        count = int(shared.counts["intents"][place])
        rows = session.intents[int(self._intents_read[place]) : count]
        self._intents_read[place] = count
        if place in self._quoting:
            trip = shared.open_trips[place]
            if not trip["entry_ns"] or trip["entry_ns"] == self._open_ns[place]:
                return []
            self._signal_ns[place] = trip["entry_ns"]
            return [
                self._signal(place, int(trip["side"]), int(trip["entry_ns"]), 0.0, False, int(trip["reason"]))
            ]
        entries = entries_sent(rows, session.orders[: int(shared.counts["orders"][place])])
        ended = shared.trips["exit_ns"][place, int(self._trips_read[place]) : int(shared.trip_counts[place])]
        if len(ended):
            entries = entries[entries["at_ns"] >= ended.max()]
        if not len(entries) or (self._was_busy[place] and not len(ended)):
            return []
        first: Any = entries[0]
        self._signal_ns[place] = first["at_ns"]
        is_taker = int(first["kind"]) == MARKET_ORDER
        share = float(entries["share"][entries["at_ns"] == first["at_ns"]].sum())
        return [
            self._signal(
                place, int(first["side"]), int(first["at_ns"]), share, is_taker, int(first["reason"])
            )
        ]

    def _signal(
        self, place: int, side: int, at_ns: int, share: float, is_taker: bool, reason: int
    ) -> BankSignal:
        name, market = NAMES[place], self._run.symbols["market"][0]
        features = features_seen(name, market, self._run.bank.states[name][0])
        words = CATALOGUE[name].reasons[reason]
        edge_bps = expected_edge_bps(name, getattr(self._run.params, name), features)
        regime = regime_name(market["regime"])
        # M2 is the one forecast known here; S1's are the engine's own business.
        confidence = self._cascade if name == "liquidation_hunter" else math.nan
        # Which symbol the partner is, is known where its prices come from.
        ratio = float(self._run.bank.states[name][0]["ratio"]) if CATALOGUE[name].leg == "pair" else 0.0
        return BankSignal(
            name,
            self.symbol,
            side,
            at_ns,
            share,
            is_taker,
            edge_bps,
            words,
            regime,
            features,
            confidence,
            ratio=ratio,
        )

    def _trips(self, place: int) -> list[BankTrip]:
        shared, name = self._run.bank.shared, NAMES[place]
        count = int(shared.trip_counts[place])
        rows = shared.trips[place, int(self._trips_read[place]) : count]
        self._trips_read[place] = count
        reasons = CATALOGUE[name].reasons
        return [
            BankTrip(
                name,
                self.symbol,
                int(row["side"]),
                int(self._signal_ns[place]) or int(row["entry_ns"]),
                int(row["entry_ns"]),
                int(row["exit_ns"]),
                self._told * float(row["quantity"]),
                float(row["entry_price"]),
                float(row["exit_price"]),
                self._told * float(row["notional"]),
                self._told * float(row["fees"]),
                self._told * float(row["funding"]),
                self._told * float(row["profit"]),
                reasons.get(int(row["reason"]), ""),
                reasons.get(int(row["reason_out"]), ""),
                regime_name(float(row["regime"]) if row["regime"] >= 0 else math.nan),
            )
            for row in rows
            if row["notional"] > 0.0
        ]

    def _empty(self) -> None:
        """Begin the arrays anew of every strategy of which nothing is under way."""
        shared = self._run.bank.shared
        accounts, counts = shared.accounts, shared.counts
        idle = (
            (counts["open"] == 0)
            & (accounts["requests_sent"] == accounts["requests_done"])
            & (accounts["reports_sent"] == accounts["reports_read"])
            & (counts["marked"] == counts["fills"])
        )
        for name in ("intents", "orders", "fills", "equities", "marked"):
            counts[name][idle] = 0
        self._intents_read[idle] = 0
        shared.trip_counts[:] = 0
        self._trips_read[:] = 0
