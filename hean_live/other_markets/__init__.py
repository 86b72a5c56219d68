"""Markets beside the symbol's own, as far as its shadows may know them: spot, the partner of a pair, another venue, its own past.

Read by plain requests in a thread of its own; nothing is ever sent, and no key is known. What the loop makes of it is
`hean_live.shadow.board`'s.
"""
