"""Running studies over tapes and keeping what they said: the steps behind `hean study` and the assets.

Here belong choosing tapes and writing files. What does not belong here: arguments and printing, Dagster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hean_pipelines.studies.catalogue import Study, body_of
from hean_pipelines.studies.outcome import Outcome, without_nan
from hean_pipelines.studies.planted import NULL, TRUTH
from hean_pipelines.studies.recordings import find_recordings, open_tapes
from hean_pipelines.studies.tapes import OnHours, Tape
from models.errors import ConfigError

OnTape = Callable[[Study, Tape], OnHours | None]
"""Told which tape comes next; returns what is to be told how much of it was read."""
SEED = 1


def synthetic_tapes(study: Study, seed: int = SEED, hours: float | None = None) -> list[Tape]:
    """Return the market with the study's planted truth, and its null."""
    length = hours if hours is not None else study.hours
    return [study.planted(which, seed, length) for which in (TRUTH, NULL)]


def recorded_tapes(paths: Sequence[Path]) -> tuple[list[Tape], list[str]]:
    """Find the tapes in files and folders.

    Returns
    -------
    tapes : list of Tape
        One a symbol and recording.
    passed_over : list of str
        Files that are no tape, with the reason.

    Raises
    ------
    ConfigError
        When there is none.

    """
    from hean_pipelines.sources.tape_files import reading_progress

    recordings, passed_over = find_recordings(paths)
    tapes: list[Tape] = []
    with reading_progress([path for recording in recordings for path in recording.paths]) as on_bytes:
        for recording in recordings:
            tapes += open_tapes(recording, on_bytes)
    if not tapes:
        raise ConfigError(
            f"recordings: expected at least one tape, was none among {len(passed_over)} files",
            remedy="point --tape or HEAN_PIPELINES_RECORDINGS at recordings; docs/evidence.md names the formats",
        )
    return tapes, passed_over


def bar_tapes(study: Study, lake_root: Path, venue_url: str) -> list[Tape]:
    """Return the bars of the lake as tapes, one a symbol.

    A lake filled from a venue on this machine holds what that made up, so its market counts as synthetic.

    Raises
    ------
    ConfigError
        When bars cannot answer the study, or the lake holds none.

    """
    from hean_pipelines.defs.promotion.facts import is_local
    from models.learning.promotion import RECORDED, SYNTHETIC

    if study.bars is None:
        raise ConfigError(
            f"{study.name}: expected a study that bars can answer, was one of moves within a bar",
            remedy="run it on tapes: hean study --tape FOLDER",
        )
    tapes = study.bars(lake_root, SYNTHETIC if is_local(venue_url) else RECORDED)
    if not tapes:
        raise ConfigError(
            f"bars: expected 5-minute bars of perpetuals below {lake_root}, was none",
            remedy="hean backfill; then hean warehouse for rates and hean train for forecasts",
        )
    return tapes


def run_on_tapes(study: Study, tapes: Sequence[Tape], on_tape: OnTape | None = None) -> list[Outcome]:
    """Run a study on each tape."""
    return [study.run(tape, on_tape(study, tape) if on_tape is not None else None) for tape in tapes]


def save(study: Study, outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write the study's JSON, and a picture a market, into a folder; returns the JSON's path.

    A synthetic and a recorded run do not overwrite each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = outcomes[0].market.kind
    path = folder / f"{study.name.lower()}_{kind}.json"
    write_json(path, body_of(study, outcomes))
    for old in folder.glob(f"{study.name.lower()}_{kind}_*.png"):
        old.unlink()
    for outcome in outcomes:
        (folder / picture_name(outcome)).write_bytes(study.draw(outcome))
    return path


def picture_name(outcome: Outcome) -> str:
    """File name of an outcome's picture."""
    words = re.sub(r"[^a-z0-9]+", "_", outcome.market.name.split(":")[0].lower()).strip("_")
    seed = f"_{outcome.market.seed}" if outcome.market.seed is not None else ""
    return f"{outcome.study.lower()}_{outcome.market.kind}_{words}{seed}.png"


def write_json(path: Path, body: Any) -> None:
    """Write JSON that any reader takes: no NaN."""
    text = json.dumps(without_nan(body), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
