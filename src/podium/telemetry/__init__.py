"""What an operator sees of a running Podium: its log, and what it counts. Below every other room; imports none."""
