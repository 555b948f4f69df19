"""What other sites and programs take from a board: badge, card, downloads, avatars, and snippets that embed them."""
