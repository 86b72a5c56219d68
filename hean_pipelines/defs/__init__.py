"""Dagster definitions by concept. Each folder offers one assembling function."""
