"""What assets share to do their work: the lake, the warehouse, the registry. No assets here."""
