"""The HTTP server: the JSON API (``api``), the page (``pages``), and what other sites embed (``share``)."""
