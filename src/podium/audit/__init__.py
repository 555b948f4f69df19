"""What administrators did, and where: a bounded log in the database."""
