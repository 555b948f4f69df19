"""Text for people: made harmless, masked, measured, put into tables, with singular and plural. Pure."""
