"""New listings: found every four hours, announced, taken into the universe, and watched for a day (D13).

Finding is `discovery.py`, the watch `watch.py`, what is known of each symbol `store.py`; Dagster's part is `definitions.py`.
"""
