"""Alerts on their way to a person: channels and the thread that serves them.

Here belongs sending. What is worth an alert is decided where it is known; its words are in `models.alerts`.
"""
