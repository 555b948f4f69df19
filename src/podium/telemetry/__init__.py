"""Logs and metrics. Imports no other package of Podium."""
