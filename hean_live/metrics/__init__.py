"""O4: what the executor counts and measures of itself, for Prometheus.

Here belong names, units and the endpoint. Nothing here decides anything.
"""
