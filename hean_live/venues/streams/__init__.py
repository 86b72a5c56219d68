"""The venue's sockets: public market data, the private account stream, order entry.

Import the modules directly. Nothing here decides or trades; parsing is `models.market`'s.
"""
