"""The JSON Schema of a board's document, which ``podium schema`` prints.

``make schema`` writes it from the API's model into a file, because a machine that only ranks has no Pydantic. A test
compares the two.
"""

from __future__ import annotations

import json
from typing import Any

from podium.leaderboard.export.schema import FILE
from podium.web.api.schemas import Board

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generate() -> str:
    # Pydantic writes 2020-12, and does not say so.
    return json.dumps({"$schema": DIALECT, **_without_titles(Board.model_json_schema())}, indent=2) + "\n"


def _without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` without the titles of properties, which only repeat their names."""
    for model in (schema, *schema["$defs"].values()):
        for described in model.get("properties", {}).values():
            described.pop("title", None)
    return schema


if __name__ == "__main__":
    FILE.write_text(generate(), encoding="utf-8")
