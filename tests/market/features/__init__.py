"""Tests of the feature kernels, one file a family."""
