"""A tape, a strategy and a simulated venue in one loop: what the strategy would have done, and what it would have got.

Here belong the loop and its results. What does not: features, rules, matching, drawings.
"""
