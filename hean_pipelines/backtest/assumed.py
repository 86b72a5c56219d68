"""What a backtest takes for granted where the gates ask about things no tape holds, in words: for the JSON file and the page.

Here belongs nothing that computes; the same facts are given to the gates in `models.simulation.backtest.judging`.
"""

from __future__ import annotations

from hean_pipelines.backtest.plan import Plan
from hean_pipelines.backtest.tapes import TapeFacts
from models.gates.permission import ConfidenceRules
from models.portfolio.roster import Kind


def assumptions_of(plan: Plan, tape: TapeFacts) -> list[str]:
    """Return what was taken for granted of a run, a sentence or two each, the rows of the gates concerned in front."""
    words = [
        "G10: the strategy is taken as promoted, and not vetoed.",
        "G9: the rotator's table of regimes is asked, and nothing else: no trade was valued yet, and the chance by which it lets "
        "strategies explore at a cold start is left out.",
        "G5, G6: nothing was learnt of the symbol: no slippage buffer, no probation. Fees are those of this run.",
        "G7: only this symbol is traded, so a daily cap over several symbols is not reached sooner.",
        f"G8: {_bitcoin(plan)}",
        "G13: no request is unanswered, and one is free.",
        "Orders, conflicts with other strategies, sizes and limits come after the gates, and are not asked.",
        "Results are those of the ungated run at its own sizes: a trip the gates block is left out, nothing is traded in its "
        "place, and multipliers are shown, not applied.",
    ]
    if plan.entry.name in ConfidenceRules().above:
        words.insert(
            1,
            "G11: the strategy rests on a model whose confidence is not known here, and unknown confidence blocks every signal.",
        )
    if not tape.hears_open_interest:
        words.insert(
            0,
            "G12: the tape holds no open interest. Live it comes with the market's streams, so its age is not held against a "
            "signal.",
        )
    if plan.entry.kind is Kind.MARKET_MAKING:
        words.append(
            "A market maker is judged at the fill a trip begins with. Live its request to quote is judged before, for both sides "
            "at once."
        )
    if plan.entry.name == "funding_pressure":
        words.append(
            "Live, the executor trades this strategy on a road of its own, with other checks: these gates are not asked there."
        )
    if plan.entry.leg == "pair":
        words.append("Live, the partner must be free as well, and both legs share what one trade may take.")
    elif plan.entry.leg != "none":
        words.append("The strategy trades a second market: live it stays in shadow, whatever the gates say.")
    return words


def _bitcoin(plan: Plan) -> str:
    if plan.symbol == "BTCUSDT":
        return "a fall of BTC keeps nobody from trading BTC itself."
    return "prices of BTC are not on this tape: where BTC is not quoted, nothing is filtered."
