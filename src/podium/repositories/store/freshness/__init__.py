"""What keeps rows fresh: host ids and names, when each host is asked next, and pushes."""
