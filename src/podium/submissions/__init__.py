"""Submit, refresh, retry and drop repositories."""
