"""Assets `evidence_tape__…` and `evidence_strategy__…`: studies E2, E3, E5, E6 and E7, and the first step of each strategy.

Each has its pictures and verdicts, and a job runs each kind. Here belong storing and showing; the studies are
`hean_pipelines.studies`. With the setting `recordings` they run on every tape of that folder, and first steps that bars can
answer on those of the lake; without either on a synthetic market with planted truth and its null.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from hean_pipelines.studies.catalogue import Study
    from hean_pipelines.studies.outcome import Outcome
    from hean_pipelines.studies.tapes import Tape

JOB = "evidence"
FIRST_STEPS_JOB = "first_steps"
FINITE = "figures_are_finite"
ADDS_UP = "counts_add_up"
_PICTURES_SHOWN = 4


class StudyConfig(dg.Config):
    """What a run of a study may be told.

    Attributes
    ----------
    seed : int
        Of the synthetic market.
    hours : float
        Its length; 0 means the study's own.

    """

    seed: int = 1
    hours: float = 0.0


def tape_study_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return an asset a study, its checks, and the jobs `evidence` and `first_steps`."""
    from hean_pipelines.studies.catalogue import FIRST_STEPS, STUDIES

    assets = [_asset(settings, study) for study in (*STUDIES.values(), *FIRST_STEPS.values())]
    jobs = [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(*(study.asset for study in studies.values())),
            description=words,
        )
        for name, studies, words in (
            (JOB, STUDIES, "Run the studies on tapes: E2, E3, E5, E6, E7. E1 runs with every retrain."),
            (
                FIRST_STEPS_JOB,
                FIRST_STEPS,
                "Run the first step of every strategy: is what it lives on there?",
            ),
        )
    ]
    return dg.Definitions(assets=assets, jobs=jobs)


def _asset(settings: "PipelineSettings", study: "Study") -> dg.AssetsDefinition:
    name = study.asset

    @dg.asset(
        name=name,
        group_name="evidence",
        kinds={"numba"},
        deps=[dg.AssetKey(read) for read in study.reads],
        description=f"{study.name}: {study.asks}. On recordings, else on a synthetic market with planted truth.",
        check_specs=[
            dg.AssetCheckSpec(
                FINITE,
                asset=name,
                description="Every figure a verdict rests on is finite; a failed study is not a failed check.",
            ),
            dg.AssetCheckSpec(
                ADDS_UP, asset=name, description="The parts of each sample, counted apart, make up the whole."
            ),
        ],
    )
    def materialise(context: dg.AssetExecutionContext, config: StudyConfig):
        from hean_pipelines.resources.products import Products
        from hean_pipelines.studies.catalogue import body_of
        from hean_pipelines.studies.session import run_on_tapes, save

        def told(_: "Study", tape: "Tape") -> None:
            context.log.info("%s on %s, %.3g h", study.name, tape.market.name, tape.market.hours)

        outcomes = run_on_tapes(study, _tapes(settings, study, config), told)
        body = body_of(study, outcomes)
        products = Products(settings.lake_root)
        products.write_json(products.study(study.name), body)
        save(study, outcomes, settings.home / "report" / "studies")
        yield dg.MaterializeResult(metadata=_metadata(study, body, outcomes))
        yield from _checks(name, outcomes)

    return materialise


def _tapes(settings: "PipelineSettings", study: "Study", config: StudyConfig) -> "list[Tape]":
    """Return everything recorded: tapes, and bars where they answer; without any the study's synthetic market."""
    from hean_pipelines.defs.promotion.facts import is_local
    from hean_pipelines.studies.session import recorded_tapes, synthetic_tapes
    from models.learning.promotion import RECORDED

    tapes: list[Tape] = []
    if settings.recordings is not None:
        tapes += recorded_tapes([settings.recordings])[0]
    # A venue on this machine made its bars up; they say less than a market with a known truth.
    if study.bars is not None and not is_local(settings.venue_url):
        tapes += study.bars(settings.lake_root, RECORDED)
    return tapes or synthetic_tapes(study, config.seed, config.hours or None)


def _metadata(study: "Study", body: dict[str, Any], outcomes: "list[Outcome]") -> dict[str, Any]:
    from hean_pipelines.plots import markdown_image

    lines = ["| market | verdict | n | why |", "| --- | --- | --- | --- |"]
    lines += [f"| {o.market.name} | {o.verdict} | {o.figures[0].n} | {_cell(o.reason)} |" for o in outcomes]
    # Dagster keeps every picture in its log: those with most data are shown, all lie in the report folder.
    shown = sorted(outcomes, key=lambda o: -o.figures[0].n)[:_PICTURES_SHOWN]
    pictures = [markdown_image(study.draw(o), f"{o.study} on {o.market.name}: {o.verdict}") for o in shown]
    return {
        "verdict": str(body["verdict"]),
        "market": f"{body['market']['kind']}: {body['market']['name']}",
        "reason": str(body["reason"]),
        "verdicts": dg.MetadataValue.md("\n".join(lines)),
        "figures": dg.MetadataValue.json([row["figures"] for row in body["rows"]]),
        "picture": dg.MetadataValue.md("\n\n".join(pictures)),
    }


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def _checks(name: str, outcomes: "list[Outcome]") -> list[dg.AssetCheckResult]:
    unknown = [f"{o.market.name}: {figure}" for o in outcomes for figure in o.unknown_ingredients()]
    wrong = [
        f"{o.market.name}: {b.what}: {b.whole} is not {' + '.join(map(str, b.parts))}"
        for o in outcomes
        for b in o.balances
        if not b.holds
    ]
    return [
        dg.AssetCheckResult(
            asset_key=name,
            check_name=check,
            passed=not found,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"found": found},
        )
        for check, found in ((FINITE, unknown), (ADDS_UP, wrong))
    ]
