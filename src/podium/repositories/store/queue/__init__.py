"""The queue: due repositories in their order, leases, and what keeps a repository from a worker or host."""
