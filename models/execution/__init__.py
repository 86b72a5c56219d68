"""How orders are worked: layered quotes, exits, slots between strategies, and gates on the market's state. Pure.

Functions of plain records, with time given; whoever sends orders, reads journals or asks a venue is in the executor.
"""
