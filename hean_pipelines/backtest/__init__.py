"""A backtest from the outside: what was asked, the tape, the run, and the files it leaves.

`plan` what was asked, `markets` contracts and synthetic markets, `tapes` where events come from, `ahead` making them in a thread,
`run` the passes over the tape, `gated` the pass that asks the gates, `assumed` what those are told for granted, `document` the
result as plain data, `panels` stretches of it to look at closely, `save` files. What does not belong here: rules, matching and
figures (`models`), drawings (`hean_pipelines.report.backtest`), arguments.
"""
