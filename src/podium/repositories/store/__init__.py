"""The table ``repository``: every statement that reads or writes it, in the caller's transaction.

A function that changes a row takes the expected values (state, lease token, head), checks them in its SQL, and returns
whether the row was changed.
"""
