"""Reading what the report shows: every file may be absent, empty or damaged, and each is said apart.

Here belongs which files there are, who makes them, and which columns are relied on. What does not belong here: choosing,
joining or drawing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Missing
from models.errors import DataError
from models.portfolio.roster import STRATEGIES

if TYPE_CHECKING:
    import polars as pl

TRAIN = "run `hean train`"
WAREHOUSE = "run `hean backfill`, then `hean warehouse`"
LIVE = "run `hean live`, then `hean learn` (`hean demo` does both)"
LEARN = "close trades with `hean live`, then run `hean learn` (`hean demo` does both)"


@dataclass(frozen=True)
class Spec:
    """One input.

    Attributes
    ----------
    path : str
        Below the lake; a folder for datasets split by day.
    shows : str
        What the page shows of it.
    remedy : str
        What makes it.
    columns : str
        Columns (or keys, for JSON) the page relies on, separated by spaces.

    """

    path: str
    shows: str
    remedy: str
    columns: str


SPECS: dict[str, Spec] = {
    "forecasts": Spec(
        "forecasts/out_of_sample.parquet",
        "out-of-sample forecasts with their quantiles",
        TRAIN,
        "symbol settlement_ts horizon_min made_at model predicted q05 q50 q95 realised",
    ),
    "scores": Spec(
        "forecasts/scores.parquet",
        "the skill of every model by symbol and horizon",
        TRAIN,
        "model symbol horizon_min n r2 mae sign_accuracy pinball coverage_90",
    ),
    "champion": Spec("forecasts/champion.json", "the model in charge", TRAIN, "name promotion"),
    "evidence": Spec("evidence/e1.json", "study E1, premium against rate", TRAIN, "study passed rows"),
    "orders": Spec("raw_hean__orders", "orders by state", LIVE, "state mode leg"),
    "fills": Spec("raw_hean__fills", "fills and funding payments", LIVE, "fee_usd is_maker kind at_ns"),
    "trades": Spec(
        "raw_hean__trades",
        "closed trades, live and shadow",
        LIVE,
        "trade_id strategy symbol regime mode side qty entry_ns entry_price exit_ns exit_price fees_usd funding_usd"
        " pnl_usd pnl_bps predicted realised_rate model_version",
    ),
    "events": Spec("raw_hean__events", "what was blocked, and why", LIVE, "at_ns kind strategy symbol body"),
    "equity": Spec("raw_hean__equity", "the equity curve", LIVE, "at_ns equity_usd available_usd"),
    "live_forecasts": Spec(
        "raw_hean__forecasts",
        "forecasts made live",
        LIVE,
        "symbol settlement_ns horizon_min made_at_ns model_version predicted q05 q50 q95",
    ),
    "matrix": Spec(
        "matrix/cells.parquet",
        "what each strategy earned by regime",
        LEARN,
        "strategy regime n win_rate win_rate_low win_rate_high ev_usd ev_shrunk_usd ev_sd_usd p_ev_positive",
    ),
    "policy": Spec(
        "learning/policy.json", "the policy in force", LEARN, "version is_held registered document"
    ),
    "coverage": Spec(
        "marts/mart_coverage__symbol_day.parquet",
        "how complete the lake is, by dataset, symbol and day",
        WAREHOUSE,
        "dataset symbol date rows expected_rows share",
    ),
    "settlements": Spec(
        "marts/mart_bybit__settlement_funding.parquet",
        "settled funding rates",
        WAREHOUSE,
        "symbol settlement_ts funding_rate",
    ),
}

TAPE_STUDIES = ("e2", "e3", "e5", "e6", "e7")
CLAIM = "e4"
FIRST_STEPS = tuple(f"s{place + 1}" for place in range(len(STRATEGIES)))
STUDY = "run the job `evidence` in `hean dev`"
FIRST_STEP = "run the job `first_steps` in `hean dev`"
_STUDY_KEYS = "study asks passed verdict reason market estimate low high n"
OPTIONAL: dict[str, Spec] = {
    name: Spec(f"evidence/{name}.json", shows, remedy, _STUDY_KEYS)
    for name, shows, remedy in (
        *((name, f"study {name.upper()}, on tapes", STUDY) for name in TAPE_STUDIES),
        (CLAIM, "study E4, on closed trades", LEARN),
        *((name, f"first step of {name.upper()}", FIRST_STEP) for name in FIRST_STEPS),
    )
} | {
    "markouts": Spec(
        "learning/markouts.json", "markouts of live fills", LEARN, "fills elsewhere verdict horizons_s groups"
    )
}
"""Shown where they are there; their absence is said in one line."""


@dataclass(frozen=True)
class Source:
    """What became of one input: `problem` is empty when it could be read and holds rows."""

    spec: Spec
    path: str
    problem: str = ""
    rows: int = 0
    files: int = 0
    modified_ns: int | None = None

    @property
    def words(self) -> str:
        """Say what is wrong with this input."""
        return f"{self.path}: {self.problem}"


@dataclass(frozen=True)
class Inputs:
    """Everything read, by the names of `SPECS` and `OPTIONAL`; in `frames` or `documents` only what holds something."""

    sources: Mapping[str, Source]
    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    market: str = ""

    def frame(self, name: str) -> pl.DataFrame | None:
        """Return a table, or None where there is nothing to show."""
        return self.frames.get(name)

    def missing(self, *names: str) -> list[Missing]:
        """Return what is to be said about those of `names` that cannot be shown, the same thing only once."""
        groups: dict[tuple[str, str], list[Source]] = {}
        for source in (self.sources[name] for name in names):
            if source.problem:
                groups.setdefault((source.problem, source.spec.remedy), []).append(source)
        return [
            Missing(tuple(s.path for s in group), problem, "; ".join(s.spec.shows for s in group), remedy)
            for (problem, remedy), group in groups.items()
        ]


def load_inputs(home: Path, lake: Path) -> Inputs:
    """Read every input there is.

    Parameters
    ----------
    home : Path
        Folder of all state.
    lake : Path
        Folder of the lake, usually ``<home>/lake``.

    Returns
    -------
    Inputs
        Never raises for a bad file: its source says what was wrong.

    """
    sources: dict[str, Source] = {}
    frames: dict[str, pl.DataFrame] = {}
    documents: dict[str, dict[str, Any]] = {}
    for name, spec in (SPECS | OPTIONAL).items():
        path = lake / spec.path
        if name in OPTIONAL and not path.exists():
            continue
        shown = _shown(path, home)
        files = _files(path)
        if not files:
            sources[name] = Source(spec, shown, "absent")
            continue
        modified = max(file.stat().st_mtime_ns for file in files)
        try:
            if path.suffix == ".json":
                documents[name], rows = _read_json(path, spec), 1
            else:
                frame = _read_parquet(files, spec)
                rows = frame.height
                if rows:
                    frames[name] = frame
        except DataError as error:
            sources[name] = Source(spec, shown, str(error), 0, len(files), modified)
            continue
        problem = "" if rows else "without rows"
        sources[name] = Source(spec, shown, problem, rows, len(files), modified)
    return Inputs(sources, frames, documents, _market(home))


def _shown(path: Path, home: Path) -> str:
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    # A name that begins with a dot is a file still being written.
    return sorted(file for file in path.glob("**/*.parquet") if not file.name.startswith("."))


def _read_parquet(files: list[Path], spec: Spec) -> pl.DataFrame:
    import polars as pl

    wanted = spec.columns.split()
    frames = []
    for file in files:
        try:
            frame = pl.read_parquet(file, hive_partitioning=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"unreadable: {first}") from None
        absent = [column for column in wanted if column not in frame.columns]
        if absent:
            raise DataError(f"without the expected columns {', '.join(absent)}")
        frames.append(frame)
    return pl.concat(frames, how="diagonal_relaxed")


def _read_json(path: Path, spec: Spec) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"unreadable: {error}") from None
    wanted = spec.columns.split()
    absent = [key for key in wanted if key not in body] if isinstance(body, dict) else wanted
    if absent:
        raise DataError(f"without the expected keys {', '.join(absent)}")
    return dict(body)


def _market(home: Path) -> str:
    """Name of the demo's market, where a demo ran in this folder; empty otherwise."""
    try:
        body = json.loads((home / "demo" / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(body["market"]) if isinstance(body, dict) and body.get("market") else ""
