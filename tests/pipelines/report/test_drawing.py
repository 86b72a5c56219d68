from __future__ import annotations

import doctest
from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from hean_pipelines.report import svg, text
from hean_pipelines.report.charts import Bars, Estimate, Points, estimates, grouped_bars, scatter
from hean_pipelines.report.svg import (
    DAY_NS,
    HOUR_NS,
    Canvas,
    Scale,
    nice_ticks,
    padded,
    tick_labels,
    time_ticks,
)
from hean_pipelines.report.time_charts import Band, Curve, Mark, band, curves, thinned

START = int(datetime(2024, 1, 30, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize("module", [svg, text])
def test_examples_in_docstrings_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-3.2, 17.0), (1e-5, 4e-5), (9984.2, 10012.9), (-1.0, -0.2)])
def test_ticks_are_few_round_and_inside(ends: tuple[float, float]) -> None:
    ticks = nice_ticks(*ends)
    assert 3 <= len(ticks) <= 7
    assert all(ends[0] - 1e-12 <= tick <= ends[1] + 1e-12 for tick in ticks)
    assert len(set(tick_labels(ticks))) == len(ticks)


def test_ticks_of_an_empty_range() -> None:
    assert nice_ticks(2.0, 2.0) == [2.0]
    assert padded([float("nan")]) == (0.0, 1.0)
    assert Scale(1.0, 1.0, 0.0, 10.0)(1.0) == 5.0


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (6 * HOUR_NS, ["30 Jan", "02:00", "04:00", "06:00"]),
        (4 * DAY_NS, ["30 Jan", "31 Jan", "1 Feb", "2 Feb", "3 Feb"]),
        (150 * DAY_NS, ["Feb 2024", "Mar 2024", "Apr 2024", "May 2024", "Jun 2024"]),
        (1500 * DAY_NS, ["2025", "2026", "2027", "2028"]),
    ],
)
def test_time_ticks_fit_the_range(length: int, labels: list[str]) -> None:
    ticks = time_ticks(START, START + length, 4)
    assert [words for _, words in ticks] == labels
    assert all(START <= at <= START + length for at, _ in ticks)


def test_drawings_are_xml_and_escape_what_they_are_given() -> None:
    hostile = "<b>&\"'"
    canvas = Canvas(10, 10, hostile)
    canvas.text(1, 2, hostile)
    canvas.add("circle", "fill", tip=hostile, cx=1.0)
    tree = ElementTree.fromstring(canvas.render())
    assert tree.attrib["aria-label"] == hostile
    assert [element.text for element in tree.iter("text")] == [hostile]
    assert [element.text for element in tree.iter("title")] == [hostile]


def test_bars_below_the_floor_are_cut_but_say_their_value() -> None:
    series = [Bars("m0", "naive", [-4.25, 0.1]), Bars("m1", "good", [0.8, float("nan")], strong=True)]
    tree = ElementTree.fromstring(grouped_bars("a label", ["90", "60"], series, "R²", -0.5))
    tips = [element.text for element in tree.iter("title")]
    bars = [element for element in tree.iter("rect") if "fill" in element.attrib["class"]]
    assert tips == ["naive, 90: −4.250", "good, 90: 0.800", "naive, 60: 0.100"]
    assert all(float(bar.attrib["y"]) + float(bar.attrib["height"]) <= 215 for bar in bars)
    assert [e.text for e in tree.iter("text") if e.attrib.get("class") == "value"] == ["0.80"]
    assert len([e for e in tree.iter("path") if e.attrib["class"] == "cut"]) == 1


def test_points_lie_on_the_diagonal_where_both_agree() -> None:
    values = np.array([1.0, 2.0, 5.0])
    tree = ElementTree.fromstring(scatter("a label", [Points("m0", values, values)], ("x, bps", "y, bps")))
    [line] = [e for e in tree.iter("line") if e.attrib["class"] == "agree"]
    [dots] = [e.attrib["d"] for e in tree.iter("path")]
    x1, y1, x2, y2 = (float(line.attrib[k]) for k in ("x1", "y1", "x2", "y2"))
    for part in dots.strip("M").split("M"):
        x, y = (float(v) for v in part.removesuffix("h0").split())
        assert y == pytest.approx(y1 + (x - x1) / (x2 - x1) * (y2 - y1), abs=0.2)


def test_values_outside_their_interval_are_marked() -> None:
    times = START + np.arange(3) * 8 * HOUR_NS
    data = Band(times, np.zeros(3), np.ones(3), np.full(3, 2.0), np.array([1.0, 2.5, np.nan]))
    tree = ElementTree.fromstring(band("a label", data, "m0", "rate, bps", 400.0))
    points = [e.attrib["class"] for e in tree.iter("circle")]
    assert points == ["point", "point missed"]


def test_a_thinned_line_keeps_its_ends_and_extremes() -> None:
    values = np.sin(np.arange(10_000) / 50.0)
    values[4321] = 9.0
    kept = thinned(values, 100)
    assert {0, 4321, 9999} <= set(kept)
    assert len(kept) <= 202
    assert thinned(values[:50], 100) == list(range(50))


def test_steps_and_marks_are_drawn() -> None:
    curve = Curve("live", "live", np.array([START, START + DAY_NS]), np.array([0.0, 2.0]), steps=True)
    marks = [Mark(START, 0.0, True, "won"), Mark(START + DAY_NS, 2.0, False, "lost")]
    tree = ElementTree.fromstring(curves("a label", [curve], "USD", 400.0, marks))
    [line] = [e.attrib["d"] for e in tree.iter("path") if e.attrib["class"] == "line live"]
    assert line.count("L") == 2
    assert [e.attrib["class"] for e in tree.iter("path")][1:] == ["mark gain", "mark loss"]


def test_an_estimate_without_data_says_so() -> None:
    nan = float("nan")
    rows = [Estimate("BTCUSDT", 0.3, 0.4, 0.5), Estimate("1000PEPEUSDT", nan, nan, nan)]
    tree = ElementTree.fromstring(estimates("a label", rows, 0.25, "R²", 400.0))
    words = [e.text for e in tree.iter("text")]
    assert "not enough data" in words
    assert "0.40" in words
    assert len([e for e in tree.iter("circle")]) == 1
