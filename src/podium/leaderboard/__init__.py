"""Ranking what was counted, under rules that are applied when a board is read, and writing it in every format."""
