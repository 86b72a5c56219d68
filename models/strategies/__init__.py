"""Trading rules: each a parameter tuple, a state record and a pure `step`.

Import the concrete modules; nothing is re-exported here.
"""
