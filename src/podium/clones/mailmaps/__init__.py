"""The .mailmap of a repository and the user's own."""
