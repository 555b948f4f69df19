"""Avatars: the pictures of accounts, fetched from allowed hosts, checked, and cached on disk."""
