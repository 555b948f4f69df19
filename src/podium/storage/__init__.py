"""The database: tables, sessions, migrations. Dialect differences end here."""
