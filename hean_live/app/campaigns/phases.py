"""Carrying out a signal: quote in layers, requote a bounded number of times, then cross; the same way out.

Decided anew at every poll from what is known (orders, own position, quote, time), so a restart needs no
memory of what was being done. While the fate of any order is open nothing is sent. Pure: changes the campaign
given, returns commands. Whether a campaign may begin is decided in `gates.py`; which quotes should rest, when they are
pulled and how a position is left is decided by `models.execution`. Here belongs the order of the phases: the way in is in
`entering.py`, or in `quoting.py` where a market maker's shadow is followed, the way out in `leaving.py`; the second leg of a
pair has its own in `following.py`.
"""

from __future__ import annotations

from hean_live.app.campaigns.entering import enter
from hean_live.app.campaigns.following import follow
from hean_live.app.campaigns.leaving import begin_exit, exit_reason, hold, leave
from hean_live.app.campaigns.quoting import quote
from hean_live.app.campaigns.situation import QuotingRules, Situation
from hean_live.app.snapshot import Command
from hean_live.app.state import ENTERING, EXITING, FOLLOWING, HOLDING, QUOTING, Campaign


def advance(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Move a campaign on by one poll.

    Parameters
    ----------
    campaign : Campaign
        Changed in place.
    situation : Situation
    rules : QuotingRules

    Returns
    -------
    list of Command

    """
    if any(order.is_doubtful for order in situation.orders):
        return []
    commands: list[Command] = []
    laddered = campaign.phase == HOLDING and situation.exit_state is not None and not situation.flatten
    if campaign.phase in (ENTERING, QUOTING, FOLLOWING, HOLDING) and not laddered:
        reason = exit_reason(campaign, situation)
        if reason:
            commands.append(begin_exit(campaign, situation, reason))
    if campaign.phase == QUOTING:
        commands += quote(campaign, situation, rules)
    if campaign.ratio and campaign.phase in (FOLLOWING, HOLDING):
        commands += follow(campaign, situation, rules)
    elif campaign.phase == ENTERING:
        commands += enter(campaign, situation, rules)
    elif campaign.phase == HOLDING:
        commands += hold(campaign, situation, rules)
    elif campaign.phase == EXITING:
        commands += leave(campaign, situation, rules)
    return commands


__all__ = ["QuotingRules", "Situation", "advance"]
