.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8062
SPEED ?= 20
SEED ?= 1
SEEDS ?= 1
TASKS ?= 2000

RUN := .run

.PHONY: help setup run run-all build-run-all stop-all start-server stop-server test check format bench chaos kill-test mutation lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed  ## Create the virtual environment with locked dependencies

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@echo "Setting up $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

run: setup  ## Start the server with the built-in simulator
	@$(BIN)/athena serve --simulate --port $(PORT) --speed $(SPEED)

run-all: setup  ## Start the server in the background; with the simulator if no account is set
	@$(MAKE) --no-print-directory start-server SIMULATE=--or-simulate

build-run-all: setup run-all  ## Set up, then run-all

stop-all: stop-server  ## Stop what run-all started

start-server: setup  ## Start the server in the background, with the accounts in .env
	@mkdir -p $(RUN)
	@if [ -f $(RUN)/server.pid ] && kill -0 $$(cat $(RUN)/server.pid) 2>/dev/null; then \
	    echo "Already running; log: $(RUN)/server.log"; exit 0; fi; \
	nohup $(BIN)/athena serve $(SIMULATE) --port $(PORT) >$(RUN)/server.log 2>&1 </dev/null & \
	echo $$! >$(RUN)/server.pid; \
	for i in $$(seq 50); do \
	    grep -q "Athena is ready" $(RUN)/server.log && cat $(RUN)/server.log && exit 0; \
	    kill -0 $$(cat $(RUN)/server.pid) 2>/dev/null || break; sleep 0.2; done; \
	cat $(RUN)/server.log; rm -f $(RUN)/server.pid; exit 1

stop-server:  ## Stop the background server
	@if [ -f $(RUN)/server.pid ]; then \
	    kill $$(cat $(RUN)/server.pid) 2>/dev/null; rm -f $(RUN)/server.pid; echo "Stopped."; \
	else echo "No background server is running."; fi

test: setup  ## Run all tests
	@$(BIN)/python -m pytest -n auto --dist loadfile

check: setup  ## Check format, lint, types and import contracts
	@$(BIN)/ruff format --check src tests bench chaos mutation examples docs get_aws_secrets.py
	@$(BIN)/ruff check src tests bench chaos mutation examples docs get_aws_secrets.py
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup  ## Format the code and apply the linter's fixes
	@$(BIN)/ruff check --fix --quiet src tests bench chaos mutation examples docs
	@$(BIN)/ruff format src tests bench chaos mutation examples

bench: setup  ## Measure speed and memory
	@$(BIN)/python -m bench

chaos: setup  ## Run all faults on a virtual clock and check the tasks: SEED=1 SEEDS=1 TASKS=2000
	@$(BIN)/python -m chaos --seed $(SEED) --seeds $(SEEDS) --tasks $(TASKS)

kill-test: setup  ## Kill a real server twenty times under load and check the tasks
	@$(BIN)/python -m chaos.kill --seed $(SEED)

mutation: setup  ## Change the code one thing at a time and see whether a test fails: MODULES="athena.tasks.matching"
	@nice $(BIN)/python -m mutation $(if $(MODULES),--modules $(MODULES))

lock: $(VENV)/.installed  ## Lock the dependencies, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:  ## Remove build files and caches; keep the data folder
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
