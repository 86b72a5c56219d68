"""Subcommands of `hean` that belong to the executor: arguments and printing only, the work is elsewhere."""
