"""The page that documents the API: made on the server from the OpenAPI document."""
