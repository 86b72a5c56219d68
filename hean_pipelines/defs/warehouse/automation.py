"""When SQL assets run by themselves: named conditions, composed from Dagster's.

What does not belong here: schedules (ingest and retrain have plain ones).
"""

import dagster as dg

# `AutomationCondition.eager()` would also wait until no partition of a raw dataset is missing: with years of days, of
# which a user may have ingested one week, that is never.
lake_or_upstream_changed = (
    (dg.AutomationCondition.any_deps_updated() | dg.AutomationCondition.newly_missing())
    .since_last_handled()
    .with_label("lake_or_upstream_changed")
)
nothing_under_way = (
    ~dg.AutomationCondition.any_deps_in_progress() & ~dg.AutomationCondition.in_progress()
).with_label("nothing_under_way")
follows_its_inputs = (lake_or_upstream_changed & nothing_under_way).with_label("follows_its_inputs")
"""A SQL asset is rebuilt when anything it reads was, and neither it nor that is being built."""
