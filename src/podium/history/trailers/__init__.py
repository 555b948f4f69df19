"""The trailers of a commit message, and the people and agents that they name."""
