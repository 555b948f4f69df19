# Two commands do everything on a fresh machine: `make run` and `make test`. Both set up what they need first.

PYTHON ?= python3
REPO ?= .
BIN := .venv/bin

# pip's own marker of what is installed: a changed lock file is installed anew.
.venv/.run: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/.test: requirements-dev.txt .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

.PHONY: run rank test lint types check lock

run: .venv/.run
	$(BIN)/podium serve

rank: .venv/.run
	@$(BIN)/podium rank $(REPO)

test: .venv/.test
	$(BIN)/python -m pytest

lint: .venv/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.test
	$(BIN)/mypy

check: lint types test

# Needs uv (`pip install uv`); the lock names no index, so it holds wherever packages come from.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate
lock:
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.txt
