"""Assembles everything Dagster shows: one function, with settings that a test can replace.

Here belongs composition only. No asset, resource or schedule is implemented here, nothing is read from disk or network, and
nothing heavy is imported: definitions are loaded again and again.
"""

import dagster as dg

from hean_pipelines.defs.archives.assets import archive_definitions
from hean_pipelines.defs.backtest.strategies import backtest_definitions
from hean_pipelines.defs.evidence.premium_study import premium_study_definitions
from hean_pipelines.defs.evidence.tape_studies import tape_study_definitions
from hean_pipelines.defs.features.assets import feature_definitions
from hean_pipelines.defs.learning.definitions import learning_definitions
from hean_pipelines.defs.learning.regime_matrix import matrix_definitions
from hean_pipelines.defs.listings.definitions import listing_definitions
from hean_pipelines.defs.market_data import market_data_definitions
from hean_pipelines.defs.other_venues.assets import other_venue_definitions
from hean_pipelines.defs.own_activity import own_activity_definitions
from hean_pipelines.defs.promotion.champion import champion_definitions
from hean_pipelines.defs.quality.checks import quality_definitions
from hean_pipelines.defs.report.page import report_definitions
from hean_pipelines.defs.schedules import schedule_definitions
from hean_pipelines.defs.sentiment.assets import sentiment_definitions
from hean_pipelines.defs.training.cascade import cascade_definitions
from hean_pipelines.defs.training.forecasts import forecast_definitions
from hean_pipelines.defs.training.predictor import predictor_definitions
from hean_pipelines.defs.training.regime_hmm import regime_definitions
from hean_pipelines.defs.warehouse.definitions import warehouse_definitions
from hean_pipelines.resources.registry import Registry
from hean_pipelines.settings import PipelineSettings, load_settings


def build_definitions(settings: PipelineSettings | None = None) -> dg.Definitions:
    """Return all assets, checks, jobs, schedules and sensors.

    Parameters
    ----------
    settings : PipelineSettings, optional
        By default those in force (environment, ``hean.toml``).

    """
    chosen = settings or load_settings()
    registry = Registry.from_settings(chosen)
    # In one process: a step takes a second or less, a process of its own would cost two. On a cluster set another executor
    # in the run's configuration.
    return dg.Definitions.merge(
        dg.Definitions(executor=dg.in_process_executor),
        market_data_definitions(chosen),
        archive_definitions(chosen),
        other_venue_definitions(chosen),
        listing_definitions(chosen),
        quality_definitions(chosen),
        own_activity_definitions(chosen),
        warehouse_definitions(chosen),
        feature_definitions(chosen),
        forecast_definitions(chosen),
        premium_study_definitions(chosen),
        tape_study_definitions(chosen),
        predictor_definitions(chosen, registry),
        champion_definitions(chosen, registry),
        cascade_definitions(chosen, registry),
        regime_definitions(chosen, registry),
        matrix_definitions(chosen, registry),
        learning_definitions(chosen, registry, chosen.allow_synthetic_evidence),
        sentiment_definitions(chosen, registry),
        report_definitions(chosen),
        backtest_definitions(chosen),
        schedule_definitions(chosen),
    )
