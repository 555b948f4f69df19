"""Account avatars: fetched from allowed hosts, checked, cached on disk."""
