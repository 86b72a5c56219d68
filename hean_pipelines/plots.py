"""Figures for Dagster's pages and MLflow: Matplotlib without a window, to PNG bytes and to Markdown.

Matplotlib is imported inside the functions: definitions load without it. What does not belong here: what is drawn.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width_in: float = 7.0, height_in: float = 4.0) -> Figure:
    """Return an empty figure of that many inches, drawn by Agg and known to no global state.

    Examples
    --------
    >>> figure = new_figure()
    >>> _ = figure.subplots().plot([0, 1], [0, 1])
    >>> png_bytes(figure)[1:4]
    b'PNG'

    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png_bytes(figure: Figure, dpi: int = 100) -> bytes:
    """Render a figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    # Matplotlib writes its version into the file otherwise.
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def markdown_image(png: bytes, alt: str) -> str:
    """Return Markdown that shows a PNG by itself, for `dagster.MetadataValue.md`.

    Parameters
    ----------
    png : bytes
        The picture.
    alt : str
        What it shows, in words.

    """
    return f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})"
