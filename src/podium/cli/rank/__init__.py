"""``podium rank``: rank one repository in this process."""
