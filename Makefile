# What a contributor does daily. Everything is installed into .venv; nothing needs root, a system compiler, or Docker.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCHEMAS := $(wildcard proto/inscope/v1/*.proto)
INIT := $(wildcard sidecar/init/*.c sidecar/init/*.h sidecar/init/*.def) sidecar/init/build.py

# Each in a process of its own: what gRPC keeps per process for one part's event loops held up another's.
PARTS := inscope controlplane sidecar e2e

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench clean

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.built ## install everything into .venv (the first time: 2-3 minutes)

demo: $(VENV)/.built ## learn a real agent, attack it, and see which finding had foreseen each alert
	@$(BIN)/python examples/demo.py

test: $(VENV)/.built ## the fast tests
	@set -e; for part in $(PARTS); do $(BIN)/python -m pytest -q -m "not slow and not fuzz" tests/$$part; done

check: $(VENV)/.built ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.built ## what being watched costs, and what watching does
	@set -e; for name in overhead burst sidecar_memory; do echo "== $$name"; $(BIN)/python -m bench.$$name; done

clean: ## remove what was built and what the demo left
	@rm -rf $(VENV) .demo sidecar/init/bin dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -f proto/inscope/v1/*_pb2*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The installation, again when what is installed changes. It runs the build hook too.
$(VENV)/.installed: pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "inscope needs Python 3.11 or newer: make PYTHON=...")'
	@echo "[1/3] a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@echo "[2/3] installing packages, generating gRPC code, compiling inscope-init (the first time: 2-3 minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@echo "[3/3] done: $(BIN)/inscope"
	@touch $@

# Only the generated parts, when a schema or a C file changes.
$(VENV)/.built: $(VENV)/.installed $(SCHEMAS) $(INIT)
	@echo "gRPC code and inscope-init: generating what changed"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python hatch_build.py > $(VENV)/build.log 2>&1 || { cat $(VENV)/build.log; exit 1; }
	@touch $@
