"""Tick-level symbols played live: events up to a clock, their books and minutes, and the venue's messages about them.

Import the concrete modules. Where events come from (`order_flow`, recordings) and sockets do not belong here.
"""
