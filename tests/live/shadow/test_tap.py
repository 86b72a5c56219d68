"""What the tap does where the bank is late: a gap, and a book asked for until the venue can be asked."""

from __future__ import annotations

import numpy as np

from hean_live.shadow.tap import MOST_WAITING, EventTap
from models.market.tape import EVENT, GAP


def test_a_book_that_lost_messages_is_asked_for_until_it_can_be():
    rows, asked, answers = np.zeros(1, EVENT), [], [False, True]

    def ask_again(symbol):
        asked.append(symbol)
        return answers[len(asked) - 1]

    tap = EventTap(["A", "B"], ask_again)
    for _ in range(MOST_WAITING):
        tap.put(1, rows)
    assert asked == []
    tap.put(1, rows)
    assert asked == ["B"]  # too soon after the last time: the venue was not asked
    tap.put(1, rows)
    tap.put(1, rows)
    tap.put(0, rows)
    assert asked == ["B", "B"]
    left = tap.drain(1)
    assert (left["kind"][0], len(left)) == (GAP, 4)
    assert tap.lost == MOST_WAITING
