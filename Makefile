# Everything runs in .venv, which `make setup` fills from uv.lock.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PACKAGES := assets orchestration resources sensors
BIN := .venv/bin
# Scripts of an environment cannot be run by name when the folder's path is long or has spaces in
# it; modules always can.
PY := $(BIN)/python

.PHONY: help setup lock demo test check format bench up down clean

help: ## List the targets
	@grep -hE '^[a-z%-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install everything into .venv (needs Python 3.11-3.13 only)
	@sh .ci/setup

lock: setup ## Resolve pyproject.toml again into uv.lock
	@.tools/bin/python -m uv lock --upgrade

demo: setup ## A small retailer's trading week, end to end, in a home of its own
	@$(PY) -m orchestration.cli demo

# A file stays with one worker: what its tests share is built once.
test: setup ## The tests, on two cores
	@$(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## Style, types, import contracts, SQL
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(addprefix -p ,$(PACKAGES))
	@$(BIN)/lint-imports
	@if [ -n "$$(find dbt_project -name '*.sql' -not -path '*/target/*' 2>/dev/null | head -1)" ]; then \
		$(PY) -m sqlfluff lint dbt_project; \
	fi

format: setup ## Rewrite the Python files in the house format
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: ## Every benchmark (bench-NAME for one)
	@sh .ci/setup bench
	@$(PY) tests/benchmarks/run.py $(ARGS)

bench-%:
	@sh .ci/setup bench
	@$(PY) tests/benchmarks/run.py $* $(ARGS)

up: setup ## Start everything and print the addresses
	@$(PY) -m orchestration.cli up

down: setup ## Stop everything
	@$(PY) -m orchestration.cli down

clean: ## Remove what can be built again (never a home's data)
	@rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@rm -rf dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -not -path './.omniflow*' -prune -exec rm -rf {} +
