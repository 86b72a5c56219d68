"""Where data come from: one polite HTTP layer and one client per venue. No storage, no Dagster."""
