"""Text for people. Pure."""
