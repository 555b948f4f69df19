"""The queue engine, set up once: queues, lease, retry rule, reconciler. The database is the truth, a queue the bell."""
