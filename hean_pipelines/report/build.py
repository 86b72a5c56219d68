"""The page: every section from its inputs, through the template, written whole or not at all.

What does not belong here: what a section shows, and how it looks.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.report.blocks import Section
from models.errors import DataError

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs
    from hean_pipelines.report.subject import Subject

DEFAULT = Path("report") / "index.html"
FOOTER = "Rates are fractions of notional per settlement, shown in basis points (1 bps = 0.01 %). All times are UTC."


def build_report(home: Path, output: Path | None = None) -> Path:
    """Build the report of a state folder.

    Parameters
    ----------
    home : Path
        Folder of all state; what is absent in it is said on the page.
    output : Path, optional
        Where to write; ``<home>/report/index.html`` by default. Replaced at once, never seen half-written.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ConfigError
        If the settings of the folder are wrong.
    DataError
        If the page cannot be written.

    """
    from hean_pipelines.report.inputs import load_inputs
    from hean_pipelines.report.sections import summary
    from hean_pipelines.report.subject import choose_subject
    from hean_pipelines.settings import load_settings, mask_password

    settings = load_settings(home=Path(home))
    inputs = load_inputs(settings.home, settings.lake_root)
    subject = choose_subject(inputs)
    venue = mask_password(settings.venue_url)
    page = render(
        sections(inputs, subject),
        facts=summary.facts(inputs, subject, venue),
        caution=summary.caution(venue, inputs.market),
        built=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
    )
    target = settings.home / DEFAULT if output is None else Path(output)
    write_whole(target, page.encode("utf-8"))
    return target


def sections(inputs: Inputs, subject: Subject) -> list[Section]:
    """Return the sections in the order of the page."""
    from hean_pipelines.report.sections import (
        calibration,
        coverage,
        evidence,
        first_steps,
        live,
        matrix,
        policy,
        realised,
        skill,
        sources,
        summary,
        trades,
    )

    return [
        summary.build(inputs, subject),
        skill.build(inputs, subject),
        realised.build(inputs, subject),
        calibration.build(inputs, subject),
        evidence.build(inputs),
        first_steps.build(inputs),
        policy.build(inputs),
        trades.build(inputs),
        live.build(inputs, subject),
        matrix.build(inputs),
        coverage.build(inputs),
        sources.build(inputs),
    ]


def render(
    many: Sequence[Section],
    *,
    facts: Sequence[tuple[str, str]],
    caution: str,
    built: str,
    title: str = "HEAN report",
    footer: str = FOOTER,
) -> str:
    """Fill the template; every word is escaped by it.

    Parameters
    ----------
    many : sequence of Section
    facts : sequence of (str, str)
        Head of the page, what and which.
    caution : str
        What the numbers are not.
    built : str
        When the page was built, UTC.
    title : str
        Heading of the page.
    footer : str
        Below everything: units, and how the page was made.

    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hean_pipelines.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html")
    return template.render(
        sections=many, facts=facts, caution=caution, built=built, title=title, footer=footer
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it and put it in place at once.

    Raises
    ------
    DataError
        If the folder cannot be made or written; a former file stays as it was.

    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(
            f"expected to write the report to {path}, was refused: {error.strerror or error}",
            remedy="check the folder's permissions and the disk's free space, or write to another place",
        ) from None
    finally:
        if temporary.exists():
            temporary.unlink()
