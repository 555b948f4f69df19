"""Which people of a repository form one row: what is known of them, who wins, and rows of one full name."""
