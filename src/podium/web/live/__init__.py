"""Live updates of a repository's state for open pages."""
