"""Delete rows: of a forgotten repository, of a forgotten person, and of counts that no reader sees."""
