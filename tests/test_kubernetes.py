"""deploy/kubernetes: the fields of the manifests, and how they fit together."""

from __future__ import annotations

import copy
import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support import kubernetes
from tests.test_deploy import DEPLOY, OWN_SECRETS, lines_of, parsed, secret_files, settings_of, with_secrets

FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATIONS = (FOLDER / "kustomization.yaml", FOLDER / "migrate" / "kustomization.yaml")


@functools.cache
def documents() -> list[Any]:
    paths = [path for path in sorted(FOLDER.rglob("*.yaml")) if path not in KUSTOMIZATIONS]
    return [document for path in paths for document in YAML(typ="safe").load_all(path.read_text())]


def of_kind(*kinds: str) -> dict[str, Any]:
    return {document["metadata"]["name"]: document for document in documents() if document["kind"] in kinds}


def test_the_manifests_have_the_fields_of_their_kinds() -> None:
    for document in documents():
        assert kubernetes.faults(document) == [], document["metadata"]["name"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda pod: pod.update(hostNetwork=True), "hostNetwork: unknown"),
        (lambda pod: pod["containers"][0].pop("resources"), "resources: missing"),
        (lambda pod: pod["containers"][0].update(args=[]), "something in it"),
        (lambda pod: pod["containers"][0]["env"].append({"name": "X", "value": 1}), "does not match|is no str"),
        (lambda pod: pod["containers"][0]["livenessProbe"]["httpGet"].update(port=3000), "does not match"),
    ],
)
def test_what_the_server_would_refuse_is_found(change: Any, fault: str) -> None:
    document = copy.deepcopy(of_kind("Deployment")["podium-api"])
    change(kubernetes.pod(document))
    assert any(word in found for found in kubernetes.faults(document) for word in fault.split("|"))


@pytest.mark.parametrize("name", ["podium-api", "podium-commits", "podium-users", "podium-migrate"])
def test_each_part_runs_podium_with_its_own_secrets_and_no_rights(name: str, tmp_path: Path) -> None:
    document, part = of_kind("Deployment", "Job")[name], name.removeprefix("podium-")
    pod = kubernetes.pod(document)
    (container,) = pod["containers"]
    options = parsed(container["args"])
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert {secret_files()[each] for each in variables.keys() & secret_files().keys()} <= OWN_SECRETS[part]
    if "envFrom" in container:
        variables = lines_of(FOLDER / "settings.env") | variables
    settings = settings_of(with_secrets(variables, tmp_path))
    assert settings.uses_postgres
    assert settings.uses_redis is (part != "migrate")
    assert getattr(options, "kind", part) == part
    # Its variables name the files that are mounted, and no others are.
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    mounted = {f"{mounts['secrets']}/{item['path']}" for item in secret["items"]}
    assert mounted == {value for variable, value in variables.items() if variable in secret_files()}
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
    assert not pod["automountServiceAccountToken"] and not pod["enableServiceLinks"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]


@pytest.mark.parametrize("name", ["podium-api", "podium-commits", "podium-users"])
def test_probes_ask_whether_a_pod_can_work_and_whether_it_lives(name: str) -> None:
    document = of_kind("Deployment")[name]
    (container,) = kubernetes.pod(document)["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/health"
    # A check has three seconds.
    assert container["readinessProbe"]["timeoutSeconds"] > 3
    port = container["ports"][0]["containerPort"]
    assert {"name": "PORT", "value": str(port)} in container["env"]
    template = document["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port)
    assert template["metadata"]["labels"] == document["spec"]["selector"]["matchLabels"]
    # A stopped worker needs ten seconds.
    assert kubernetes.pod(document)["terminationGracePeriodSeconds"] > 10


def test_what_selects_pods_finds_a_deployment() -> None:
    deployments = of_kind("Deployment")
    labels = [deployment["spec"]["selector"]["matchLabels"] for deployment in deployments.values()]
    for budget in of_kind("PodDisruptionBudget").values():
        assert budget["spec"]["selector"]["matchLabels"] in labels
    assert of_kind("Service")["podium"]["spec"]["selector"] in labels
    for scaler in of_kind("HorizontalPodAutoscaler", "ScaledObject").values():
        assert scaler["spec"]["scaleTargetRef"]["name"] in deployments
    # What scales a deployment is not undone by each update of it.
    assert not any("replicas" in deployment["spec"] for deployment in deployments.values())


def test_the_disk_of_commit_workers_holds_what_the_settings_allow() -> None:
    pod = kubernetes.pod(of_kind("Deployment")["podium-commits"])
    settings = settings_of({})
    (data,) = (volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if volume["name"] == "data")
    processes = parsed(pod["containers"][0]["args"]).processes
    assert settings.mirror_cache_bytes + processes * settings.max_repository_bytes <= int(data.removesuffix("Gi")) << 30
    memory = int(pod["containers"][0]["resources"]["limits"]["memory"].removesuffix("Gi")) << 30
    assert processes * (settings.git_memory + settings.count_memory) < memory


def test_the_kustomizations_name_every_manifest_and_one_image() -> None:
    read = [YAML(typ="safe").load(path.read_text()) for path in KUSTOMIZATIONS]
    named = {path.parent / name for path, each in zip(KUSTOMIZATIONS, read, strict=True) for name in each["resources"]}
    # It needs KEDA.
    assert {*named, *KUSTOMIZATIONS, FOLDER / "scaling.yaml"} == set(FOLDER.rglob("*.yaml"))
    assert read[0]["images"] == read[1]["images"]
    assert read[0]["namespace"] == read[1]["namespace"]
    assert read[0]["configMapGenerator"] == [{"name": "podium-settings", "envs": ["settings.env"]}]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=["parts", "migration"])
def test_kustomize_builds_them(path: Path) -> None:
    done = subprocess.run(["kubectl", "kustomize", path.parent], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(YAML(typ="safe").load_all(done.stdout))
    images = {
        container["image"]
        for document in built
        if document["kind"] in ("Deployment", "Job")
        for container in kubernetes.pod(document)["containers"]
    }
    assert images == {"registry.example.org/podium:v0.1.0"}
    assert {document["metadata"]["namespace"] for document in built} == {"podium"}
