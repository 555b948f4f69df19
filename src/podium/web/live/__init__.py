"""The state of a repository as it changes, sent to every page that shows it."""
