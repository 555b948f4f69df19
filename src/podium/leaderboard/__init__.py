"""Room 4: what was counted, ranked under rules when it is read, and written in each format."""
