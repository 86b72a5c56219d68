"""The crowd's mood, made out of what is in the lake, for the executor."""
