"""Figures become the same PNG each time, and Markdown that shows them without a file."""

from __future__ import annotations

import base64

from hean_pipelines.plots import markdown_image, new_figure, png_bytes


def _png() -> bytes:
    figure = new_figure(3, 2)
    figure.subplots().plot([0, 1, 2], [0, 1, 4])
    return png_bytes(figure, dpi=50)


def test_png_has_the_size_asked_for_and_repeats():
    png = _png()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (150, 100)
    assert _png() == png
    assert b"Software" not in png


def test_markdown_holds_the_picture():
    png = _png()
    text = markdown_image(png, "skill by horizon")
    assert text.startswith("![skill by horizon](data:image/png;base64,")
    assert base64.b64decode(text.split("base64,")[1].rstrip(")")) == png
