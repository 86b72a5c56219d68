"""The markets the local testnet can serve, behind one protocol (`base.Market`)."""
