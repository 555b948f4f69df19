"""Podium: give it a git repository's address and it answers *who made this?*"""

__version__ = "0.1.0"
