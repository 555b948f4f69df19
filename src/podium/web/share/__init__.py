"""Badge, card, downloads and avatars for other sites."""
