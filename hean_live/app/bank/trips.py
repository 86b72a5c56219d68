"""A round trip of the bank as a shadow trade, with the reason why it had no live twin. Changes only the memory given."""

from __future__ import annotations

from decimal import Decimal

from hean_live.app.bank.sizing import system_of
from hean_live.app.snapshot import Command, KeepTrade, Note
from hean_live.execution.records import TradeRow
from hean_live.shadow.records import BankTrip
from models.gates.memory import BankMemory


def keep_trip(trip: BankTrip, memory: BankMemory) -> list[Command]:
    """Return what is to be journalled of a trip; its signal, if it waited, no longer does.

    Parameters
    ----------
    trip : BankTrip
    memory : BankMemory
        Changed in place.

    Returns
    -------
    list of Command
        The shadow trade, after the reason its live twin was blocked for, if it was.

    """
    key = (trip.strategy, trip.symbol)
    waiting = memory.waiting.get(key)
    blocked = ""
    if waiting is not None and waiting.signal_ns <= trip.signal_ns:
        blocked = waiting.blocked_by
        del memory.waiting[key]
    system = system_of(trip.strategy)
    kept: list[Command] = []
    trade_id = f"shadow-{system}-{trip.symbol}-{trip.entry_ns}"
    if blocked:
        kept.append(Note("block", trip.symbol, {"reason": blocked, "trade_id": trade_id}, system))
    kept.append(
        KeepTrade(
            TradeRow(
                trade_id=trade_id,
                strategy=system,
                symbol=trip.symbol,
                regime=trip.regime,
                mode="shadow",
                side=trip.side,
                qty=Decimal(repr(trip.quantity)),
                entry_ns=trip.entry_ns,
                entry_price=Decimal(repr(trip.entry_price)),
                exit_ns=trip.exit_ns,
                exit_price=Decimal(repr(trip.exit_price)),
                fees_usd=trip.fees_usd,
                funding_usd=-trip.funding_usd,
                pnl_usd=trip.profit_usd,
                pnl_bps=1e4 * trip.profit_usd / trip.notional_usd,
                predicted=0.0,
                realised_rate=None,
                model_version="",
            )
        )
    )
    return kept
