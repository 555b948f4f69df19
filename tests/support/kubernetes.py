"""What Kubernetes takes of the manifests in ``deploy/kubernetes``, written down from its API reference.

https://kubernetes.io/docs/reference/kubernetes-api/ lists the fields. What is not listed here is refused, as the server
does with ``--validate=strict``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_QUANTITY = r"\d+(?:m|Mi|Gi)?"
_LABELS = {"app.kubernetes.io/name": _NAME, "app.kubernetes.io/component": _NAME}
_META = {"name": _NAME, "labels?": _LABELS}
_SELECTOR = {"matchLabels": _LABELS}

_PROBE = {
    "httpGet": {"path": r"/[a-z]*", "port": r"http"},
    "periodSeconds": int,
    "timeoutSeconds": int,
    "failureThreshold": int,
}
_RESOURCES = {"cpu?": _QUANTITY, "memory": _QUANTITY, "ephemeral-storage?": _QUANTITY}
_CONTAINER = {
    "name": _NAME,
    "image": r"podium",
    "args": [str],
    "envFrom?": [{"configMapRef": {"name": _NAME}}],
    "env": [{"name": r"[A-Z][A-Z0-9_]*", "value": str}],
    "ports?": [{"name": _NAME, "containerPort": int}],
    "startupProbe?": _PROBE,
    "readinessProbe?": _PROBE,
    "livenessProbe?": _PROBE,
    "resources": {"requests": _RESOURCES, "limits": _RESOURCES},
    "securityContext": {
        "allowPrivilegeEscalation": bool,
        "readOnlyRootFilesystem": bool,
        "capabilities": {"drop": [r"ALL"]},
    },
    "volumeMounts": [{"name": _NAME, "mountPath": r"/.+", "readOnly?": bool}],
}
_POD = {
    "automountServiceAccountToken": bool,
    "enableServiceLinks": bool,
    "terminationGracePeriodSeconds": int,
    "restartPolicy?": r"Never|OnFailure",
    "securityContext": {
        "runAsNonRoot": bool,
        "runAsUser": int,
        "runAsGroup": int,
        "fsGroup": int,
        "seccompProfile": {"type": r"RuntimeDefault"},
    },
    "containers": [_CONTAINER],
    "volumes": [
        {
            "name": _NAME,
            "emptyDir?": {"sizeLimit": _QUANTITY},
            "secret?": {"secretName": _NAME, "defaultMode": int, "items": [{"key": _NAME, "path": _NAME}]},
        }
    ],
}
_TARGET = {"apiVersion?": r"apps/v1", "kind?": r"Deployment", "name": _NAME}

KINDS: dict[str, dict[str, Any]] = {
    "Deployment": {
        "apiVersion": r"apps/v1",
        "spec": {
            "strategy?": {"rollingUpdate": {"maxUnavailable": int, "maxSurge": int}},
            "selector": _SELECTOR,
            "template": {
                "metadata": {
                    "labels": _LABELS,
                    "annotations": {"prometheus.io/scrape": r"true", "prometheus.io/port": r"\d+"},
                },
                "spec": _POD,
            },
        },
    },
    "Job": {
        "apiVersion": r"batch/v1",
        "spec": {
            "backoffLimit": int,
            "activeDeadlineSeconds": int,
            "ttlSecondsAfterFinished": int,
            "template": {"metadata": {"labels": _LABELS}, "spec": _POD},
        },
    },
    "Service": {
        "apiVersion": r"v1",
        "spec": {"selector": _LABELS, "ports": [{"name": _NAME, "port": int, "targetPort": r"http"}]},
    },
    "PodDisruptionBudget": {"apiVersion": r"policy/v1", "spec": {"maxUnavailable": int, "selector": _SELECTOR}},
    "HorizontalPodAutoscaler": {
        "apiVersion": r"autoscaling/v2",
        "spec": {
            "scaleTargetRef": _TARGET,
            "minReplicas": int,
            "maxReplicas": int,
            "metrics": [
                {
                    "type": r"Resource",
                    "resource": {"name": r"cpu", "target": {"type": r"Utilization", "averageUtilization": int}},
                }
            ],
        },
    },
    # https://keda.sh/docs/latest/reference/scaledobject-spec/ and /scalers/prometheus/
    "ScaledObject": {
        "apiVersion": r"keda\.sh/v1alpha1",
        "spec": {
            "scaleTargetRef": _TARGET,
            "pollingInterval": int,
            "cooldownPeriod": int,
            "minReplicaCount": int,
            "maxReplicaCount": int,
            "triggers": [
                {
                    "type": r"prometheus",
                    "metadata": {"serverAddress": r"http://.+", "query": str, "threshold": r"\d+"},
                }
            ],
        },
    },
}


def faults(document: Any) -> list[str]:
    """What the server would not take of one document."""
    schema = KINDS.get(str(document.get("kind"))) if isinstance(document, dict) else None
    if schema is None:
        return ["kind: is none that Podium needs"]
    return compared(document, {"kind": str, "metadata": _META, **schema}, "")


def compared(value: Any, schema: Any, path: str) -> list[str]:
    """Compare with a schema: fields ('?': may be left out), a list of alike, a pattern or a type."""
    if isinstance(schema, dict):
        return list(_fields(value, schema, path))
    if isinstance(schema, list):
        if not isinstance(value, list) or not value:
            return [f"{path}: must be a list with something in it"]
        return [fault for number, each in enumerate(value) for fault in compared(each, schema[0], f"{path}[{number}]")]
    if isinstance(schema, str):
        matches = isinstance(value, str) and re.fullmatch(schema, value)
        return [] if matches else [f"{path}: {value!r} does not match {schema}"]
    return [] if type(value) is schema else [f"{path}: {value!r} is no {schema.__name__}"]


def _fields(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be a mapping"
        return
    known = {name.rstrip("?"): (name.endswith("?"), each) for name, each in schema.items()}
    yield from (f"{path}.{name}: unknown" for name in value.keys() - known.keys())
    for name, (optional, each) in known.items():
        if name in value:
            yield from compared(value[name], each, f"{path}.{name}")
        elif not optional:
            yield f"{path}.{name}: missing"


def pod(document: Mapping[str, Any]) -> dict[str, Any]:
    """The pod of a deployment or a job."""
    found: dict[str, Any] = document["spec"]["template"]["spec"]
    return found
