"""Feature kernels F3 to F16: compiled step functions over records of fixed size.

Each module holds one family: its state record, its step, its value. They take plain numbers, know no tape and no book,
and never see time except as an argument. Import the concrete modules; nothing is re-exported here.
"""
