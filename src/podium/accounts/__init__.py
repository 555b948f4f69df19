"""Room 3: e-mails become people. Their accounts are always accounts of the configured GitHub."""
