"""One module for each command, except ``rank`` and ``doctor``."""
