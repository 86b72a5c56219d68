"""M2, the cascade predictor: the probability that a liquidation cascade begins within the next minutes.

Import the concrete modules; nothing is re-exported here. `training` and `walk_forward` are the pipelines' alone: they fit.
"""
