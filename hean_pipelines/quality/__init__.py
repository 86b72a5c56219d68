"""Checks that hold one dataset against another: time zones, units, outages, disagreement, clocks.

Pure functions over frames of `ts` (Int64 ns) and `value`; nothing here reads files or knows Dagster. Checks of one dataset by
itself (gaps, duplicates, order, ranges, age) are in `defs.market_data.checks`; the asset checks are in `defs.quality`.
"""
