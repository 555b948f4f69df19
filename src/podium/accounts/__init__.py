"""Link e-mails to accounts of the configured GitHub."""
