"""What a board gives to other places: pictures, badge, card, files, and the snippets that embed them."""
