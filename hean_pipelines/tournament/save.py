"""The files a tournament leaves: the page and the JSON beside it, each replaced whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hean_pipelines.backtest.document import to_bytes
from hean_pipelines.backtest.save import JSON_NAME, PAGE_NAME, Saved
from hean_pipelines.report.build import write_whole
from hean_pipelines.tournament.page import tournament_page
from hean_pipelines.tournament.run import Task


def folder_name(tasks: Sequence[Task]) -> str:
    """Return the name of the folder: the same for the same tasks."""
    facts = json.dumps([asdict(task) for task in tasks], sort_keys=True)
    return f"tournament-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def save_tournament(document: dict[str, Any], folder: Path, seconds: float) -> Saved:
    """Write page and JSON into a folder, which is made where it is absent; raises DataError if it cannot be written."""
    saved = Saved(folder / PAGE_NAME, folder / JSON_NAME)
    content = to_bytes(document)
    write_whole(saved.json, content)
    write_whole(saved.page, tournament_page(json.loads(content), seconds).encode("utf-8"))
    return saved
