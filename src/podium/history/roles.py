"""The roles that trailers give to people beside authors and co-authors."""

from __future__ import annotations

# The number of a role is its index, which is stored: append only. A member of a set has room for eight.
ROLES = ("reviewed", "tested", "acked", "signed_off", "reported", "suggested", "helped")
