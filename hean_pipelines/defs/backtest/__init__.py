"""Backtests as Dagster shows them: one asset that runs the configured strategies, its check, and a job.

The runs are `hean_pipelines.backtest`; nothing of it is imported until a run starts.
"""
