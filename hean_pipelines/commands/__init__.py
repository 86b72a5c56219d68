"""Subcommands of `hean` that belong to the pipelines: arguments and printing only, the work is elsewhere."""
