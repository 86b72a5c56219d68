"""Venue formats into event tapes: pure parsers of bytes, streamed in chunks of bounded memory.

    bybit.py               Bybit v5 WebSocket recordings, Bybit's order-book dumps, cryptofeed recordings of Bybit
    bybit_trades.py        Bybit's public trade dumps (csv)
    binance.py             raw Binance streams with REST snapshots, as hftbacktest's collector writes them
    binance_trades.py      Binance's aggTrades dumps (csv)
    hftbacktest_events.py  hftbacktest's event arrays, both ways
    blocks.py, scan.py, csv_scan.py, bybit_frames.py, binance_frames.py   what these are made of

A reader takes an iterable of byte blocks cut anywhere and yields `Chunk`s, one symbol each, in the order received;
what it could not use is counted in its `stats`, never dropped in silence. What does not belong here: opening files
and decompressing them (the pipeline's sources), sockets. Import the concrete modules; nothing is re-exported here.
"""
