"""What the engine decides by: the parameters of strategy, gates, quoting and sharing in one record. Data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hean_live.app.bank.sizing import BankRules
from hean_live.app.campaigns.situation import QuotingRules
from hean_live.app.gates import GateRules
from hean_live.app.state import Signal
from models.execution.exits import EXIT_PLANS
from models.execution.sharing import SharingRules
from models.strategies import funding_pressure as s1


@dataclass(frozen=True)
class EngineRules:
    """Parameters of the engine.

    Attributes
    ----------
    strategy : funding_pressure.Params
    gates : GateRules
    quoting : QuotingRules
    horizons_min : tuple of int
        Minutes before a settlement at which forecasts are made.
    shadow_equity_usd : Decimal
        Equity shadow trades are sized by while no account is known.
    default_taker_fee : Decimal
        Fee of shadow trades while the account's own is not known, fraction.
    exit_plans : mapping of str to str
        Name of the exit plan (`models.execution.exits.EXIT_PLANS`) of each strategy that has one of its own; the
        others follow `quoting.exits`.
    sharing : SharingRules
        How many requests are sent a second, and how strategies share them.
    bank : BankRules
        How signals of the shadows are judged and sized.

    """

    strategy: s1.Params
    gates: GateRules
    quoting: QuotingRules
    horizons_min: tuple[int, ...] = (90, 60, 30)
    shadow_equity_usd: Decimal = Decimal(10_000)
    default_taker_fee: Decimal = Decimal("0.00055")
    exit_plans: Mapping[str, str] = field(default_factory=dict)
    sharing: SharingRules = field(default_factory=SharingRules)
    bank: BankRules = field(default_factory=BankRules)

    def quoting_of(self, signal: Signal) -> QuotingRules:
        """Return how a signal is carried out; an urgent one crosses the spread without quoting first."""
        name = self.exit_plans.get(signal.strategy)
        rules = self.quoting if name is None else replace(self.quoting, exits=EXIT_PLANS[name])
        return replace(rules, max_requotes=0, entry_maker_s=0.0) if signal.is_urgent else rules
