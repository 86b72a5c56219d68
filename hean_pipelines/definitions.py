"""Where Dagster starts: `defs` is what `workspace.yaml` names.

Here belongs nothing but the call; the assembly is in `hean_pipelines.build`.
"""

import dagster as dg

from hean_pipelines.build import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions for the settings in force."""
    return build_definitions()
