"""The ranking of a counted repository under rules that apply when a board is read, and its export."""
