"""Live market state: what the public streams say, in the same compiled records that research uses.

Import the modules directly. Sockets are `hean_live.venues.streams`' business, decisions the engine's.
"""
