"""The rows of a board: their people, names, order and reasons."""
