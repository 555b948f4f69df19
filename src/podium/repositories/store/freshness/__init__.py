"""What keeps rows fresh: names and numbers at their hosts, when each host is asked next, and pushes."""
