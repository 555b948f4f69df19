"""What clients and operators ask of a repository: submit, refresh, retry and drop."""
