"""Public streams onto disk: raw messages in append-only, compressed segments (`docs/recorder.md`).

Import the modules directly. Sockets are `hean_live.venues.streams`' business, the lake the pipelines'.
"""
