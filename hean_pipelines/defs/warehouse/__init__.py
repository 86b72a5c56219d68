"""Assets made from the SQL files: one asset a file, its column tests as asset checks.

Import `definitions` directly. What does not belong here: the SQL (`dbt_like_sql`) and the engine (`hean_pipelines.sql`).
"""
