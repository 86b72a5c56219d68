"""The studies E2, E3, E5, E6 and E7 run on tapes: where tapes come from, what is taken of them, what is said and drawn.

The statistics are `models.evidence`; the Dagster assets are `hean_pipelines.defs.evidence`. Import the concrete modules;
nothing is re-exported here.
"""
