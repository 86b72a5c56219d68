from __future__ import annotations

import doctest
import math
from xml.etree import ElementTree

from hean_pipelines.report.backtest import words
from hean_pipelines.report.backtest.drawings import Steps, ladder, price_panel
from hean_pipelines.report.svg import SECOND_NS, time_ticks

START = 1_767_225_600 * SECOND_NS


def test_examples_in_docstrings_hold():
    result = doctest.testmod(words)
    assert result.attempted > 0
    assert result.failed == 0


def test_a_ladder_draws_what_is_known_and_says_where_there_is_no_interval():
    many = [Steps("m6", "net", [(-2.0, -1.0, 0.5), None, (math.nan, 1.0, math.nan)])]
    tree = ElementTree.fromstring(ladder("a label", ["1", "10", "100"], many, ("capital", "bps"), 400.0))
    tips = [e.text for e in tree.iter("title")]
    assert tips == ["net, 1: −1.00 [−2.00, 0.50]", "net, 100: +1.00 no interval: too few"]
    assert len([e for e in tree.iter("line") if e.attrib["class"].startswith("interval")]) == 1


def test_fills_point_their_way_and_makers_are_hollow():
    fill = {"exch_ns": START + SECOND_NS, "side": 1, "price": 2.0, "quantity": 5.0, "maker": 0}
    trade = {
        "opened_ns": START - SECOND_NS,  # before the stretch: drawn from its border
        "closed_ns": START + 2 * SECOND_NS,
        "entry_price": 1.0,
        "exit_price": 4.0,
        "net_usd": -1.0,
    }
    panel = {
        "start_ns": START,
        "end_ns": START + 4 * SECOND_NS,
        "at_ns": [START, START + 4 * SECOND_NS],
        "mid": [1.0, 5.0],
        "fills": [fill, fill | {"side": -1, "maker": 1}],
        "trades": [trade],
    }
    tree = ElementTree.fromstring(price_panel("a label", panel, 400.0, 4))
    assert [e.attrib["class"] for e in tree.iter("path")] == ["line price", "mark buy", "hollow sell"]
    assert [e.text.split(",")[0] for e in tree.iter("title")] == [
        "bought 5 at 2.0000 as taker",
        "sold 5 at 2.0000 as maker",
    ]
    [held] = [e for e in tree.iter("line") if e.attrib["class"] == "held loss"]
    assert float(held.attrib["x1"]) == 66.0
    assert [e.text for e in tree.iter("text")][-1] == "00:00:04"


def test_ticks_of_a_minute_are_seconds():
    labels = [label for _, label in time_ticks(START + SECOND_NS, START + 61 * SECOND_NS, 4)]
    assert labels == ["00:00:15", "00:00:30", "00:00:45", "00:01:00"]
