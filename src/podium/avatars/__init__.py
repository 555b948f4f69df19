"""Faces: the pictures of accounts, fetched from the hosts that may have them, checked, and kept on disk."""
