"""Histories that venues publish as files: what there is, bringing it into the lake, and its assets."""
