"""The files a backtest leaves: the page and the JSON beside it, each replaced whole.

Here belongs writing. What is in them is said in `document` and `hean_pipelines.report.backtest`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hean_pipelines.backtest.document import to_bytes

JSON_NAME = "result.json"
PAGE_NAME = "report.html"


@dataclass(frozen=True)
class Saved:
    """Where the files are."""

    page: Path
    json: Path


def save_backtest(document: dict[str, Any], folder: Path, seconds: float) -> Saved:
    """Write page and JSON into a folder, which is made where it is absent.

    Parameters
    ----------
    document : dict
        From `document_of`.
    folder : Path
    seconds : float
        How long the run took; said on the page, kept out of the JSON.

    Raises
    ------
    DataError
        If the folder cannot be written.

    """
    from hean_pipelines.report.backtest.page import backtest_page
    from hean_pipelines.report.build import write_whole

    saved = Saved(folder / PAGE_NAME, folder / JSON_NAME)
    content = to_bytes(document)
    # From what the JSON says, so that the page shows nothing it does not hold.
    page = backtest_page(json.loads(content), seconds)
    write_whole(saved.json, content)
    write_whole(saved.page, page.encode("utf-8"))
    return saved
