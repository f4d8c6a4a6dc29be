# Everything one does with this project. It needs make and Python 3.11 or newer; `make` alone lists the targets.
# PORT, TELEHEALTH_HOME, DATABASE_URL, MIGRATION_DATABASE_URL, REDIS_URL are honoured; PYTHON chooses the interpreter.

SHELL := /bin/sh
PYTHON := $(shell for each in "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo "$$each" && break; done)
PY := .venv/bin/python
MANAGE := $(PY) manage.py
PRODUCTION := $(PY) -m tests.throwaway
CODE := $(wildcard audit config consults prescribing scheduling telehealth)
ONLY :=

.DEFAULT_GOAL := help
.PHONY: help run test lint format storm bench serve-http serve-ws lock runtime dev

help:
	@sed -n 's/^# make /make /p' Makefile

# make run          the demonstration clinic on http://localhost:8000, data kept under var/
run: runtime
	@$(PY) -m config.run

# make test         the suite; ARGS="tests/scheduling -x" narrows it
test: dev
	@$(PY) -m pytest $(ARGS)

# make lint         style, types, floors, migrations, deployment checks
lint: dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	@$(PRODUCTION) sh -ec '$(PY) -m mypy $(CODE); $(MANAGE) makemigrations --check --dry-run; $(MANAGE) check --deploy --fail-level WARNING'

# make format       put the code into its form
format: dev
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

# make storm        the full doses, and what needs root or system packages; it fails, naming what is missing
storm: dev
	@$(PY) -m pytest -m storm $(ARGS)

# make bench        figures of tests/bench/, one JSON object a line; ONLY=scheduling narrows it
bench: dev
	@$(PY) -m tests.bench $(ONLY)

# make serve-http   production, HTTP side; PORT, WORKERS; settings from the environment
serve-http: runtime
	@$(PY) -m config.serve http

# make serve-ws     production, WebSocket side (route /ws/ here)
serve-ws: runtime
	@$(PY) -m config.serve ws

# make lock         pin the dependencies anew, by hash, for every platform
lock: dev
	@$(PY) requirements/lock.py

runtime dev:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12, 3.13 or 3.14 is needed: install one, or name it with PYTHON=" >&2; exit 1; }
	@"$(PYTHON)" requirements/install.py $@
