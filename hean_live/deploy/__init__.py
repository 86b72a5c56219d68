"""The executor as a service: unit files and their installation.

Here belongs what the service manager is told. What the process says back to it is in `hean_live.app.process`.
"""
