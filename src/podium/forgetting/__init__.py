"""Forget a repository or a person; delete boards that are not read, and what nothing needs any more."""
