"""Each kind of process: the server, its children, and the workers."""
