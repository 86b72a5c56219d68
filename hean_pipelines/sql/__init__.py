"""The engine that reads `dbt_like_sql`: headers, dependencies, column tests, raw views, building.

It knows SQL files and a DuckDB connection, nothing of Dagster: `hean warehouse` and the assets of
`hean_pipelines.defs.warehouse` both stand on it. What does not belong here: the SQL itself, locks and files of the
warehouse (`resources.warehouse`), writing the lake's raw datasets.
"""
