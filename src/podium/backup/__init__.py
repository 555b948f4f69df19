"""Backup, restore and copy: all rows of a database, in a file or in another database.

SQLite and PostgreSQL have the same tables, so rows of one fit the other. :mod:`~podium.backup.carried_tables` says what
is carried, :mod:`~podium.backup.snapshot` reads it in batches, :mod:`~podium.backup.archive` is the file, and
:mod:`~podium.backup.restore` fills a database from either.
"""
