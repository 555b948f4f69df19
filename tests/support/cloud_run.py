"""What Cloud Run takes as a service or a job, written down from its YAML reference.

https://docs.cloud.google.com/run/docs/reference/yaml/v1 lists the fields; anything that is not listed here is refused,
as Cloud Run itself refuses it. Its limits are those of https://docs.cloud.google.com/run/quotas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"

# Variables that Cloud Run sets, and refuses to have set.
RESERVED = {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "CLOUD_RUN_JOB", "CLOUD_RUN_TASK_INDEX"}

ANNOTATIONS = {
    "run.googleapis.com/ingress": r"all|internal|internal-and-cloud-load-balancing",
    "run.googleapis.com/cpu-throttling": r"true|false",
    "run.googleapis.com/execution-environment": r"gen1|gen2",
    "run.googleapis.com/network-interfaces": r"\[\{.*\}\]",
    "run.googleapis.com/vpc-access-egress": r"private-ranges-only|all-traffic",
    "autoscaling.knative.dev/minScale": r"\d+",
    "autoscaling.knative.dev/maxScale": r"[1-9]\d*",
}

# The largest memory for so many processors.
MEMORY = {"1": 4 << 30, "2": 8 << 30, "4": 16 << 30, "8": 32 << 30}

_PROBE = {
    "httpGet": {"path": r"/[a-z]*", "port": int},
    "periodSeconds": int,
    "timeoutSeconds": int,
    "failureThreshold": int,
}
_ENV = {
    "name": r"[A-Z][A-Z0-9_]*",
    "value?": str,
    "valueFrom?": {"secretKeyRef": {"name": _NAME, "key": r"latest|\d+"}},
}
_CONTAINER = {
    # Where there are several, each has one.
    "name?": _NAME,
    "image": str,
    "args": [str],
    "env": [_ENV],
    "resources": {"limits": {"cpu": r"1|2|4|8", "memory": r"\d+(Mi|Gi)"}},
    "volumeMounts?": [{"name": _NAME, "mountPath": r"/.+"}],
}
_VOLUME = {"name": _NAME, "emptyDir": {"medium": r"Memory", "sizeLimit": r"\d+(Mi|Gi)"}}
_META = {"name?": _NAME, "annotations?": dict}

SERVICE: dict[str, Any] = {
    "apiVersion": r"serving\.knative\.dev/v1",
    "kind": r"Service",
    "metadata": _META,
    "spec": {
        "template": {
            "metadata": _META,
            "spec": {
                "containerConcurrency": int,
                "timeoutSeconds": int,
                "serviceAccountName": str,
                "containers": [
                    _CONTAINER
                    | {
                        # One container has them, which receives the requests.
                        "ports?": [{"name": r"http1|h2c", "containerPort": int}],
                        "startupProbe?": _PROBE,
                        "livenessProbe?": _PROBE,
                    }
                ],
                "volumes?": [_VOLUME],
            },
        }
    },
}

JOB: dict[str, Any] = {
    "apiVersion": r"run\.googleapis\.com/v1",
    "kind": r"Job",
    "metadata": _META,
    "spec": {
        "template": {
            "metadata": _META,
            "spec": {
                "taskCount": int,
                "parallelism": int,
                "template": {
                    "spec": {
                        "maxRetries": int,
                        # A number in quotes: Cloud Run's own schema has it as text.
                        "timeoutSeconds": r"\d+",
                        "serviceAccountName": str,
                        "containers": [_CONTAINER],
                        "volumes?": [_VOLUME],
                    }
                },
            },
        }
    },
}


def faults(document: Any) -> list[str]:
    """What Cloud Run would not take of a service or a job."""
    kind = document.get("kind") if isinstance(document, dict) else None
    schema = {"Service": SERVICE, "Job": JOB}.get(str(kind))
    if schema is None:
        return [f"kind: {kind!r} is neither Service nor Job"]
    found = list(_compare(document, schema, ""))
    return found or [*_annotations(document, ""), *_figures(document)]


def _compare(value: Any, schema: Any, path: str) -> list[str]:
    """Compare with a schema: a dictionary of fields ('?' : may be left out), a list of alike, a pattern or a type."""
    if isinstance(schema, dict):
        return _fields(value, schema, path)
    if isinstance(schema, list):
        if not isinstance(value, list) or not value:
            return [f"{path}: must be a list with something in it"]
        return [fault for number, each in enumerate(value) for fault in _compare(each, schema[0], f"{path}[{number}]")]
    if isinstance(schema, str):
        matches = isinstance(value, str) and re.fullmatch(schema, value)
        return [] if matches else [f"{path}: {value!r} does not match {schema}"]
    return [] if type(value) is schema else [f"{path}: {value!r} is no {schema.__name__}"]


def _fields(value: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: must be a mapping"]
    known = {name.rstrip("?"): (name.endswith("?"), each) for name, each in schema.items()}
    found = [f"{path}.{name}: unknown" for name in value.keys() - known.keys()]
    for name, (optional, each) in known.items():
        if name in value:
            found += _compare(value[name], each, f"{path}.{name}")
        elif not optional:
            found.append(f"{path}.{name}: missing")
    return found


def _annotations(value: Any, path: str) -> list[str]:
    found: list[str] = []
    for name, each in value.items() if isinstance(value, dict) else ():
        if name == "annotations":
            for key, text in each.items():
                pattern = ANNOTATIONS.get(key)
                if pattern is None or not isinstance(text, str) or not re.fullmatch(pattern, text):
                    found.append(f"{path}.annotations.{key}: {text!r}")
        else:
            found += _annotations(each, f"{path}.{name}")
    return found


def _figures(document: Mapping[str, Any]) -> list[str]:
    spec = pod(document)
    found: list[str] = []
    volumes = {each["name"]: size(each["emptyDir"]["sizeLimit"]) for each in spec.get("volumes", ())}
    mounted = {each["name"] for container in spec["containers"] for each in container.get("volumeMounts", ())}
    if mounted != volumes.keys():
        found.append("volumeMounts: are not the volumes")
    if document["kind"] == "Service" and sum("ports" in container for container in spec["containers"]) != 1:
        found.append("ports: exactly one container receives requests")
    if len(spec["containers"]) > 1 and not all("name" in container for container in spec["containers"]):
        found.append("name: missing, of one container among several")
    for container in spec["containers"]:
        found += [f"env: {each['name']} is Cloud Run's own" for each in container["env"] if each["name"] in RESERVED]
        found += [f"env: {each['name']} needs one value" for each in container["env"] if len(each) != 2]
        limits = container["resources"]["limits"]
        if size(limits["memory"]) > MEMORY[limits["cpu"]]:
            found.append(f"resources: {limits['memory']} is more than {limits['cpu']} processors can have")
        if sum(volumes[each["name"]] for each in container.get("volumeMounts", ())) >= size(limits["memory"]):
            found.append("volumes: they are memory, and leave none")
        found += _probes(container)
    if document["kind"] == "Job" and not 1 <= int(spec["timeoutSeconds"]) <= 604_800:
        found.append("timeoutSeconds: a task may take up to seven days")
    if document["kind"] == "Service" and not 1 <= spec["timeoutSeconds"] <= 3600:
        found.append("timeoutSeconds: a request may take up to an hour")
    return found


def _probes(container: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name in {"startupProbe", "livenessProbe"} & container.keys():
        probe = container[name]
        if "ports" in container and probe["httpGet"]["port"] != container["ports"][0]["containerPort"]:
            found.append(f"{name}: asks another port than the container's")
        if probe["timeoutSeconds"] > probe["periodSeconds"]:
            found.append(f"{name}: its timeout is longer than its period")
        if name == "startupProbe" and probe["periodSeconds"] * probe["failureThreshold"] > 240:
            found.append(f"{name}: a start may take up to 240 s")
    return found


def pod(document: Mapping[str, Any]) -> dict[str, Any]:
    """The part that names the containers."""
    spec: dict[str, Any] = document["spec"]["template"]["spec"]
    return spec["template"]["spec"] if document["kind"] == "Job" else spec


def size(text: str) -> int:
    """``512Mi``, ``4Gi``: bytes."""
    return int(text[:-2]) << {"Mi": 20, "Gi": 30}[text[-2:]]
