"""Messages between processes: Dramatiq's brokers in memory and in Redis."""
