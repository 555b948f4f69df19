"""The page ``/docs``: a reference of the API, made from the OpenAPI document and complete without JavaScript."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from cachetools import LRUCache
from markupsafe import Markup, escape

from podium.web.cache.cached_response import CachedResponse
from podium.web.pages.rendering import Renderer
from podium.web.reference.error_codes import OF_REPOSITORIES, OF_REQUESTS

Document: TypeAlias = Mapping[str, Any]

_MOST_ORIGINS = 16
# Arguments of the examples, where a parameter has no example of its own or one of several is needed.
_ARGUMENTS: dict[str, dict[str, object]] = {
    "/compare": {"repo": ["vercel/next.js", "facebook/react"]},
    "/leaderboard/explain": {"rank": 1},
}
_VALUES = {"q": "ada", "person": "octocat", "path": "vercel/next.js"}
_ONE = ("const", "default")
_SAMPLES: dict[Any, object] = {"integer": 1, "number": 0.5, "boolean": False, "null": None}
_CODE = re.compile("`([^`]+)`|\\*([^*]+)\\*")


class ApiReference:
    """The page for each of a server's few origins, which its examples name."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._pages: LRUCache[str, CachedResponse] = LRUCache(_MOST_ORIGINS)
        self._document: CachedResponse | None = None

    def page(self, document: Document, origin: str) -> CachedResponse:
        page = self._pages.get(origin)
        if page is None:
            values = _reference(document, origin)
            page = self._pages[origin] = self._renderer.body("docs.html", text=text_with_code, **values)
        return page

    def document(self, document: Document) -> CachedResponse:
        if self._document is None:
            self._document = CachedResponse.json(document)
        return self._document


def text_with_code(text: str) -> Markup:
    """A description of the document, as HTML: its ``code`` and *emphasis* are all the Markdown that it has."""
    parts, end = [], 0
    for match in _CODE.finditer(text):
        parts.append(escape(text[end : match.start()]))
        name = "code" if match[1] else "em"
        parts.append(Markup("<{0}>{1}</{0}>").format(Markup(name), match[1] or match[2]))  # noqa: S704 - a constant
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


@dataclasses.dataclass(frozen=True, slots=True)
class _Operation:
    path: str
    method: str
    operation: Document

    @property
    def parameters(self) -> list[Document]:
        return list(self.operation.get("parameters", ()))

    @property
    def body(self) -> dict[str, Document]:
        """The schema of the request's body by its media type."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return {media_type: found["schema"] for media_type, found in content.items()}


def _reference(document: Document, origin: str) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    operations = [
        _Operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    common = _common_responses(operations)
    return {
        "introduction": [part for part in document["info"]["description"].split("\n\n") if part.strip()],
        "origin": origin,
        "groups": [
            tag
            | {
                "operations": [
                    _described(operation, schemas, common, origin)
                    for operation in operations
                    if tag["name"] in operation.operation["tags"]
                ]
            }
            for tag in document["tags"]
        ],
        "common": common,
        "errors": {"When a request fails": OF_REQUESTS, "When a repository failed": OF_REPOSITORIES},
        "schemas": schemas,
    }


def _common_responses(operations: list[_Operation]) -> dict[str, str]:
    """Statuses that all operations describe in the same words."""
    found = [
        {status: response["description"] for status, response in operation.operation["responses"].items()}
        for operation in operations
    ]
    return dict(sorted(set(found[0].items()).intersection(*(each.items() for each in found[1:]))))


def _described(operation: _Operation, schemas: Document, common: Mapping[str, str], origin: str) -> dict[str, Any]:
    responses = [
        {
            "status": status,
            "description": response["description"],
            "types": list(response.get("content", ())),
            "schema": next((kind.get("schema") for kind in response.get("content", {}).values()), None),
        }
        for status, response in sorted(operation.operation["responses"].items())
        if common.get(status) != response["description"]
    ]
    return {
        "id": operation.operation["operationId"],
        "method": operation.method.upper(),
        "path": operation.path,
        "summary": operation.operation["summary"],
        "description": operation.operation.get("description", ""),
        "needs_token": "security" in operation.operation,
        "body": operation.body,
        "parameters": sorted(operation.parameters, key=lambda parameter: not parameter["required"]),
        "responses": responses,
        "curl": _curl(operation, schemas, origin),
        "example": _example(responses, schemas),
    }


def _curl(operation: _Operation, schemas: Document, origin: str) -> str:
    """A command that works as soon as the repositories that it names are counted."""
    given = _ARGUMENTS.get(operation.path, {})
    values = {
        parameter["name"]: given.get(parameter["name"], _value(parameter))
        for parameter in operation.parameters
        if parameter["required"] or parameter["name"] in given
    }
    names = [parameter["name"] for parameter in operation.parameters if parameter["in"] == "path"]
    path = operation.path
    for name in names:
        path = path.replace(f"{{{name}}}", quote(str(values.pop(name))))
    query = "?" + urlencode(values, doseq=True, safe=":/") if values else ""
    words = ["curl"]
    if operation.method != "get":
        words.append(f"-X {operation.method.upper()}")
    if "security" in operation.operation:
        words.append('-H "Authorization: Bearer $PODIUM_ADMIN_TOKEN"')
    for media_type, schema in itertools.islice(operation.body.items(), 1):
        words.append(f'-H "Content-Type: {media_type}"')
        words.append(f"-d {shlex.quote(json.dumps(_body(schema, schemas)))}")
    if "." in path.rpartition("/")[2]:
        words.append("-O")
    elif operation.path.startswith("/avatars/"):
        words.append("-o avatar")
    return " ".join([*words, f'"{origin}{path}{query}"'])


def _body(schema: Document, schemas: Document) -> object:
    """A made-up body, with what is required."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return {name: value for name, value in _fields(schema, schemas, ()) if name in required}


def _value(parameter: Document) -> object:
    schema = parameter["schema"]
    for values in (schema.get("examples"), schema.get("enum")):
        if values:
            return values[0]
    return _VALUES.get(parameter["name"], 1)


def _example(responses: list[dict[str, Any]], schemas: Document) -> str:
    """The first success as JSON with made-up values; '': it is no JSON."""
    for response in responses:
        if response["status"] < "300" and "application/json" in response["types"]:
            return json.dumps(_sample("", response["schema"], schemas, ()), indent=2, ensure_ascii=False)
    return ""


def _sample(name: str, schema: Document, schemas: Document, within: tuple[str, ...]) -> object:
    if "$ref" in schema:
        within = (*within, schema["$ref"].rpartition("/")[2])
        return None if within[-1] in within[:-1] else _sample(name, schemas[within[-1]], schemas, within)
    if chosen := [
        *schema.get("examples", ()),
        *schema.get("enum", ()),
        *(schema[key] for key in _ONE if key in schema),
    ]:
        return chosen[0]
    if choices := schema.get("anyOf"):
        return _sample(name, dict(choices[0]) | {"description": schema.get("description", "")}, schemas, within)
    match schema.get("type"):
        case "object":
            return dict(_fields(schema, schemas, within))
        case "array":
            return [_sample(name, schema.get("items", {}), schemas, within)]
    return _SAMPLES.get(schema.get("type"), _sample_text(name, schema.get("description", "")))


def _sample_text(name: str, description: str) -> str:
    if "ISO 8601" in description or name.endswith("At"):
        return "2024-05-01T12:30:00Z"
    return "https://…" if name.lower().endswith("url") else "…"


def _fields(schema: Document, schemas: Document, within: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for name, field in schema.get("properties", {}).items():
        yield name, _sample(name, field, schemas, within)
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        yield "…", _sample("", others, schemas, within)
