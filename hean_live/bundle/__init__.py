"""The way of a promoted bundle into the executor: fetched by a short-lived process, verified, cached, watched.

Import concrete modules directly; nothing is re-exported.
"""
