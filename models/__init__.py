"""Pure computation shared by research and live.

Here belong market state, features, forecasts, strategies, sizing, simulation and statistics: functions of their arguments.
Here do not belong files, sockets, clocks, environment variables, or anything of `hean_live` and `hean_pipelines`.
"""
