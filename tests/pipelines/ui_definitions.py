"""What `hean dev` serves, with one schedule every minute instead of every quarter of an hour: a test waits for its tick."""

import dagster as dg

from hean_pipelines.build import build_definitions
from hean_pipelines.defs.listings import definitions as listings

listings.WATCH_CRON = "* * * * *"


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions for the settings in force."""
    return build_definitions()
