"""Every figure of speed or memory the project claims, as a command that prints JSON.

Run them as ``python -m benchmarks.<name> [--quick]``. Each measures its peer in the same run: what the same work costs with the
library alone. Nothing here is a test, and no test asserts a time.
"""
