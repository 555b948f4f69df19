"""The table ``repository``: every statement that reads or writes it.

:mod:`.queries` reads, :mod:`.transitions` changes states, :mod:`.leases` holds a repository for one commit worker,
:mod:`.schedule` says what is due, :mod:`.statistics` counts for operators. Each function is one statement in the
caller's transaction. A function that changes a row takes what must still be true of it (its state, its lease's token,
its head), repeats that in its SQL, and returns whether the row was changed.
"""
