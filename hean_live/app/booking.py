"""Writing closed trades down once the rate of their settlement is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hean_live.app.shadow import shadow_trade
from hean_live.app.snapshot import BookCampaign, Command, KeepTrade, Snapshot, WantSettled
from hean_live.app.state import BANK, Campaign, SymbolState


def book(state: SymbolState, snapshot: Snapshot, states: Mapping[str, SymbolState]) -> list[Command]:
    """Book what can be booked, and ask for the rates still missing.

    Parameters
    ----------
    state : SymbolState
        Changed in place: what is booked leaves the waiting lists.
    snapshot : Snapshot
    states : mapping of str to SymbolState
        Of all symbols: the legs of a pair are booked together, as one trade.

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
            commands += _book_bank(campaign, state, states)
            continue
        key = (campaign.signal.symbol, campaign.signal.settlement_ns)
        if key in rates:
            commands.append(BookCampaign(campaign, rates[key]))
            state.unbooked.remove(campaign)
    signals = [shadow.signal for shadow in state.unbooked_shadows]
    signals += [campaign.signal for campaign in state.unbooked if campaign.signal.origin != BANK]
    waiting = {(row.symbol, row.settlement_ns) for row in signals if snapshot.now_ns >= row.settlement_ns}
    return [*commands, *(WantSettled(*key) for key in sorted(waiting))]


def _book_bank(
    campaign: Campaign, state: SymbolState, states: Mapping[str, SymbolState]
) -> list[BookCampaign]:
    """Book a campaign of the bank; of a pair the first leg waits for the second, which is booked with it."""
    other = states.get(campaign.partner, SymbolState())
    if campaign.is_twin(other.campaign):
        return []
    second = next((row for row in other.unbooked if campaign.is_twin(row)), None)
    if second is not None and campaign.ratio:
        return []  # booked with the first, by it
    state.unbooked.remove(campaign)
    if second is not None:
        other.unbooked.remove(second)
    return [BookCampaign(campaign, None, second)]
