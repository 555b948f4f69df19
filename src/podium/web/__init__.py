"""The HTTP server: the JSON API (``api``), the pages (``pages``), and what other sites embed (``share``)."""
