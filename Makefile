# Every target sets itself up: on a fresh machine `make demo` and `make test` are all there is to type.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export HEAN_HOME ?= $(CURDIR)/var
export DAGSTER_HOME ?= $(HEAN_HOME)/dagster
export DAGSTER_TELEMETRY_DISABLED := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: install demo test lint dev format lock clean help

help:  ## say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## make .venv from the hashed lock

$(STAMP): requirements.lock requirements-bootstrap.lock requirements-conformance.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed, found $$($(PYTHON) --version)"; echo "remedy: make PYTHON=/path/to/python3.11 install"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-bootstrap.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	# A client the local testnet is tested with. It pins exact versions of everything it uses; ours serve it as well.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements-conformance.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)  ## the whole road on the synthetic market: ingest, train, promote, trade, learn, report
	$(BIN)/hean demo

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest -q

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## let ruff put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dev: $(STAMP)  ## Dagster's UI on http://127.0.0.1:3000 and MLflow's on http://127.0.0.1:5000
	$(BIN)/hean dev

lock: $(STAMP)  ## resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header --all-extras -o requirements.lock pyproject.toml
	printf 'ccxt==4.5.90\n' | $(BIN)/uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-conformance.lock -
	printf 'uv\n' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-bootstrap.lock -

clean:  ## remove the environment; state in var/ stays
	rm -rf $(VENV) build *.egg-info
