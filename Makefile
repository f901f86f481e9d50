# Everything a developer or an operator does with pullback. Needs Python 3.11 with venv, make and git; nothing else.

# Where PYTHON isn't given, work in the clone uses the first python3, the service the system's own.
SYSTEM_PYTHON := $(or $(PYTHON),/usr/bin/python3)
PYTHON ?= python3
VENV ?= .venv

PREFIX := /opt/pullback
COMMAND := /usr/local/bin/pullback
UNIT := /etc/systemd/system/pullback.service
CONFIG := /etc/pullback/config.toml
STATE := /var/lib/pullback

PIP_QUIETLY := --quiet --disable-pip-version-check --no-input
PIP := $(VENV)/bin/python -m pip $(PIP_QUIETLY)

.DEFAULT_GOAL := help
.PHONY: help demo test lint benchmark lock install uninstall clean

help:
	@echo "make demo       two simulated runners through the real pipeline; sets itself up in $(VENV)"
	@echo "make test       all tests"
	@echo "make lint       ruff, mypy --strict, import contracts"
	@echo "make benchmark  time and memory, as ratios"
	@echo "make lock       resolve the dependencies again (writes the two lock files)"
	@echo "make install    as root: $(PREFIX), $(COMMAND), the user, the unit, $(CONFIG)"
	@echo "make uninstall  as root: takes those away again, and leaves config and data"
	@echo "make clean      remove $(VENV) and caches"

demo: $(VENV)/.pullback
	@$(VENV)/bin/pullback demo

test: $(VENV)/.tools
	$(VENV)/bin/python -m pytest $(ARGS)

lint: $(VENV)/.tools
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

# The benchmarks are no tests (bench_*.py isn't collected by `make test`): they print what they measure.
benchmark: $(VENV)/.tools
	$(VENV)/bin/python -m pytest -q -s --override-ini="python_files=bench_*.py" tests/benchmarks $(ARGS)

# The stamps are what makes a second `make test` start at once.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "pullback needs Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { echo "Install your system's python3-venv, then try again." >&2; exit 1; }

$(VENV)/.pullback: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.tools: tests/requirements.lock $(VENV)/.pullback
	@$(PIP) install --require-hashes -r tests/requirements.lock
	@touch $@

# Hashes of every published file, and no trace of this machine's indexes. In a venv of its own: pip-tools is no one's dependency.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/lock/bin/pip-compile --quiet --strip-extras --generate-hashes \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
lock: | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip $(PIP_QUIETLY) install "pip-tools>=7.6,<8"
	@$(PIP_COMPILE) --build-deps-for wheel -o requirements.lock pyproject.toml $(ARGS)
	@$(PIP_COMPILE) -o tests/requirements.lock tests/requirements.in $(ARGS)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find daemon tests -name __pycache__ -prune -exec rm -rf {} +
