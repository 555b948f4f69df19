"""What a board counts, computed from the commit log: rows, co-authors, roles, parts of the total, weeks."""
