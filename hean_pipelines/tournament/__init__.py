"""A tournament: every strategy over long synthetic markets, where its effect is planted and where nothing is."""
