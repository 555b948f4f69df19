"""What is not counted or shown: repositories, owners, addresses and people."""
