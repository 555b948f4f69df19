"""The two ways to read the commits of a history: the pack while it arrives, and git's own walk."""
