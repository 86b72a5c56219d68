"""Carrying a signal out, poll by poll: the way in, quotes on both sides, the way out.

Begin with `phases`. Whether a signal may be carried out at all is decided before (`hean_live.app.gates`, `hean_live.app.bank`).
"""
