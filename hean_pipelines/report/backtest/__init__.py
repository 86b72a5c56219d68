"""The page of a backtest, made from its JSON document and nothing else; `page` is where to start.

Blocks, template and common drawings are those of the report one folder up. Figures are not computed here.
"""
