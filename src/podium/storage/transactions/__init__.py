"""What every transaction keeps to: its time limits, retries and bounded steps."""
