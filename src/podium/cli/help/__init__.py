"""What ``--help`` and mistakes show. Imported only then, so that commands start fast."""
