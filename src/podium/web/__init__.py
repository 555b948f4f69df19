"""The API and the page: HTTP in, JSON or HTML out. Nothing is counted, looked up or queued by this room itself."""
