"""Room 1: an address comes in, is parsed or refused, saved, and the commit queue is rung."""
