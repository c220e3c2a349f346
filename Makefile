# Two commands: `make run` and `make test`. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: $(LOCKED) ## Run everything on this machine, until Ctrl-C
	@exec $(BIN)/python -m config.running

.PHONY: manage
manage: $(LOCKED) ## Run a command beside `make run`: make manage ARGS="timetravel --by 40d"
	@exec $(BIN)/python -m config.beside $(ARGS)

.PHONY: test
test: $(LOCKED) ## Run the tests, browser tests included
	@$(BIN)/python -m tests.browser.chromium
	@exec $(BIN)/python -m pytest -n 2 --dist worksteal -m "not full"

.PHONY: test-full
test-full: $(LOCKED) ## Run every test, also the slow ones
	@$(BIN)/python -m tests.browser.chromium
	@exec $(BIN)/python -m pytest -n 2 --dist worksteal

.PHONY: check
check: $(LOCKED) ## Check format, lint, types, layers, migrations, settings, templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m config.embedded manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.architecture.production manage.py check --deploy --fail-level WARNING
	$(BIN)/djlint --check --quiet templates
	$(BIN)/djlint --lint --quiet templates

.PHONY: bench
bench: $(LOCKED) ## Measure how fast it is, beside PostgreSQL's own limits
	@exec $(BIN)/python -m bench --json var/bench.json

.PHONY: bench-smoke
bench-smoke: $(LOCKED) ## Measure for a minute or two, with goals halved
	@exec $(BIN)/python -m bench --smoke

.PHONY: bench-renewals
bench-renewals: $(LOCKED) ## Measure how fast months are granted, up to a million
	@exec $(BIN)/python -m bench.renewing --json var/bench-renewals.json

.PHONY: bench-exports
bench-exports: $(LOCKED) ## Measure an export of a million rows, beside psql
	@exec $(BIN)/python -m bench.exporting --json var/bench-exports.json

.PHONY: bench-finance
bench-finance: $(LOCKED) ## Measure finance's month over a million draws
	@exec $(BIN)/python -m bench.finance --json var/bench-finance.json

.PHONY: bench-pages
bench-pages: $(LOCKED) ## Measure pages over ten million ledger entries (8 GB of disk)
	@exec $(BIN)/python -m bench.reading --json var/bench-pages.json

.PHONY: demo-reset
demo-reset: $(LOCKED) ## Throw the demo's data away; the next run makes it anew
	@$(BIN)/python -m config.running --forget

.PHONY: lock
lock: $(LOCKED) ## Compile the lock files from pyproject.toml
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(COMPILE) --extra dev pyproject.toml -o requirements-dev.txt

COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# The environment is made anew from the lock only when the lock has changed.
$(LOCKED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Purser needs Python 3.11 or newer; name one with PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
