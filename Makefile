# Two commands do everything on a fresh machine: `make run` and `make test`. Both set up what they need first.

PYTHON ?= python3
REPO ?= .
export REPO
BIN := .venv/bin

# Exits with a message if this Python is too old; runs on every Python, to say so.
VERSION := import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
	"Podium needs Python 3.11 or newer; found %d.%d (set PYTHON=…)" % (v[0], v[1]))

# An environment that is broken or of an older Python is made again.
ifneq ($(shell $(BIN)/python -c '$(VERSION)' 2>/dev/null && $(BIN)/python -c 'import pip' 2>/dev/null && echo ok),ok)
$(shell rm -f .venv/.run .venv/.test .venv/.compiled)
.venv/.run: NEW := yes
endif

# The time of this file says when the lock was last installed.
.venv/.run: requirements.txt requirements-build.txt pyproject.toml
	@test -z "$(NEW)" || $(PYTHON) -c '$(VERSION)'
	@test -z "$(NEW)" || $(PYTHON) -m venv --clear .venv || \
		{ echo "On Debian and Ubuntu, install the package python3-venv first." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt \
		-r requirements-build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/.test: requirements-dev.txt .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# Where PYTHONDONTWRITEBYTECODE is set, every start would compile all of Podium.
.venv/.compiled: .venv/.run $(shell find src -name '*.py')
	$(BIN)/python -m compileall -q src
	touch $@

# Python may keep bytecode here, whatever the machine says: without it every process compiles Podium and the tests.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
# Twice as many processes as cores: tests wait for servers and for other processes.
JOBS ?= 4
PARALLEL = -n $(JOBS) --dist loadgroup --no-loadscope-reorder
TEST ?= tests

.PHONY: run rank quick without-servers test long one lint types check schema lock clean

run: .venv/.compiled
	$(BIN)/podium serve

rank: .venv/.compiled
	@$(BIN)/podium rank "$$REPO"

# Lint, types, and every test that needs no server and no browser, side by side: the shortest look at a change.
quick: .venv/.test .venv/.compiled
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target lint types without-servers

# These tests wait little, and each process collects all of them first.
without-servers: JOBS = 3
without-servers: .venv/.test .venv/.compiled
	$(PYTEST) $(PARALLEL) -m "not server and not browser and not long"

# Everything but what takes minutes.
test: .venv/.test .venv/.compiled
	$(PYTEST) $(PARALLEL) -m "not long"

# What takes minutes: chaos, floods, a million people, every page at every width.
long: .venv/.test .venv/.compiled
	$(PYTEST) $(PARALLEL) -m long

# One file or test, in one process: make one TEST=tests/jobs/test_lease.py
one: .venv/.test .venv/.compiled
	$(PYTEST) $(TEST)

lint: .venv/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.test
	$(BIN)/mypy

# Types take a minute of one core where mypy has no cache, so they are checked beside the tests.
check: lint
	@$(MAKE) --no-print-directory --jobs=2 types test

# After a new migration: what the migrations make of an empty SQLite database, as one script.
schema: .venv/.run
	$(BIN)/python -m podium.storage.sqlite_schema
	$(BIN)/python -m podium.web.api.board_schema

# Needs uv (`pip install uv`); the lock names no index, so it holds wherever packages come from.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate
# What pyproject.toml names in [build-system], one per line.
BUILD := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")
lock:
	$(PYTHON) -c '$(BUILD)' | $(LOCK) - -o requirements-build.txt
	$(LOCK) --extra server pyproject.toml -o requirements.txt
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.txt

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -exec rm -rf {} +
