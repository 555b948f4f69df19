"""A repository: its states."""

from __future__ import annotations

# Of a repository, in the order in which they are passed; failed stands apart.
STATES = ("pending", "commits_processing", "users_processing", "completed", "failed")
