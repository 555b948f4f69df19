"""Which addresses and logins belong to bots and AI agents."""
