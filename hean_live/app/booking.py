"""Writing closed trades down once the rate of their settlement is known. Pure."""

from __future__ import annotations

from hean_live.app.shadow import shadow_trade
from hean_live.app.snapshot import BookCampaign, Command, KeepTrade, Snapshot, WantSettled
from hean_live.app.state import BANK, SymbolState


def book(state: SymbolState, snapshot: Snapshot) -> list[Command]:
    """Book what can be booked, and ask for the rates still missing.

    Parameters
    ----------
    state : SymbolState
        Changed in place: what is booked leaves the waiting lists.
    snapshot : Snapshot

    Returns
    -------
    list of Command

    """
    rates = {(row.symbol, row.settlement_ns): row.rate for row in snapshot.settled}
    commands: list[Command] = []
    for shadow in list(state.unbooked_shadows):
        key = (shadow.signal.symbol, shadow.signal.settlement_ns)
        if key in rates:
            commands.append(KeepTrade(shadow_trade(shadow, rates[key])))
            state.unbooked_shadows.remove(shadow)
    for campaign in list(state.unbooked):
        if campaign.signal.origin == BANK:
            # No settlement decides about it: what was paid in funding is among its fills.
            commands.append(BookCampaign(campaign, None))
            state.unbooked.remove(campaign)
            continue
        key = (campaign.signal.symbol, campaign.signal.settlement_ns)
        if key in rates:
            commands.append(BookCampaign(campaign, rates[key]))
            state.unbooked.remove(campaign)
    signals = [shadow.signal for shadow in state.unbooked_shadows]
    signals += [campaign.signal for campaign in state.unbooked]
    waiting = {(row.symbol, row.settlement_ns) for row in signals if snapshot.now_ns >= row.settlement_ns}
    return [*commands, *(WantSettled(*key) for key in sorted(waiting))]
