"""The SQL layer: one `select` a file, in `staging/`, `intermediate/` and `marts/`.

Each file opens with a comment block that says what a row is, which columns are its key and what every column means
(`-- description:`, `-- grain:`, `-- keys:`, `-- columns:`); tests of the columns stand beside it in a `.yaml` of the
same name. Tables are named as files are; `raw_<source>__<entity>` is a dataset of the lake. Nothing else is declared:
dependencies are read from the SQL itself.

staging
    one raw dataset each, renamed and typed, rows that cannot be used dropped; no joins.
intermediate
    what several marts need: funding intervals, the perp/spot premium.
marts
    what other processes read. They are exported to Parquet, because the warehouse file is locked by one process.

What does not belong here: Python (the engine that reads these files is `hean_pipelines.sql`), features of models
(`models.funding` computes them, once for research and live), and anything venue-specific beyond names and units.
"""
