# Everything a developer or an operator does with pullback. Needs Python 3.11 with venv, make and git; nothing else.

# Where PYTHON isn't given, work in the clone uses the first python3, the service the system's own.
SYSTEM_PYTHON := $(or $(PYTHON),/usr/bin/python3)
PYTHON ?= python3
VENV ?= .venv

PREFIX := /opt/pullback
COMMAND := /usr/local/bin/pullback
MAN := /usr/local/share/man/man1/pullback.1
UNIT := /etc/systemd/system/pullback.service
CONFIG := /etc/pullback/config.toml
STATE := /var/lib/pullback

PIP_QUIETLY := -qq --disable-pip-version-check --no-input
PIP := $(VENV)/bin/python -m pip $(PIP_QUIETLY)

.DEFAULT_GOAL := help
.PHONY: help demo test lint browser fuzz benchmark benchmark-short soak lock man audit install uninstall clean

help:
	@echo "make demo       two simulated runners through the real pipeline; sets itself up in $(VENV)"
	@echo "make test       all tests"
	@echo "make lint       ruff, mypy --strict, import contracts"
	@echo "make browser    as root, on Debian: the browser that tests open the report in"
	@echo "make fuzz       nonsense for every door, ten minutes each"
	@echo "make benchmark  time and memory, and the judgement on 400 simulated runners (a quarter of an hour)"
	@echo "make benchmark-short  fails where the judgement got worse (two minutes)"
	@echo "make soak       a thousand kills, full disks, power cuts, a year in minutes (half an hour)"
	@echo "make lock       resolve the dependencies again (writes the two lock files)"
	@echo "make man        writes the man page, pullback.1"
	@echo "make audit      known vulnerabilities of what is locked (asks PyPI)"
	@echo "make install    as root: $(PREFIX), $(COMMAND), the man page, the user, the unit, $(CONFIG)"
	@echo "make uninstall  as root: takes those away again, and leaves config and data"
	@echo "make clean      remove $(VENV) and caches"

demo: $(VENV)/.pullback
	@$(VENV)/bin/pullback demo

test: $(VENV)/.tools
	$(VENV)/bin/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.tools
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

# Tests of the report skip without it, but not in CI.
browser:
	@command -v chromium >/dev/null || { apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }

# Ten minutes for each door that strangers' bytes come through (MINUTES=1 for less). What fails is kept in .hypothesis and
# tried first the next time; what is worth keeping becomes an @example.
MINUTES := 10
FUZZED := $(addprefix tests/,config/test_fuzz.py recordings/test_fit_decoders.py recordings/test_hostile.py \
  recordings/test_members.py recordings/test_table.py strava/test_callback_fuzz.py strava/test_fuzz.py \
  strava/test_recovery_fuzz.py web/test_fuzz.py)
fuzz: $(VENV)/.tools
	@for file in $(FUZZED); do end=$$(($$(date +%s) + 60 * $(MINUTES))); while test $$(date +%s) -lt $$end; do \
	  PULLBACK_FUZZ=10 $(VENV)/bin/python -m pytest -q --hypothesis-show-statistics $$file >$(VENV)/fuzz.log 2>&1 \
	    || { cat $(VENV)/fuzz.log; exit 1; }; \
	  echo "$$file: $$(grep -o '[0-9]* passing' $(VENV)/fuzz.log | tr '\n' ' ')"; done; done

# The benchmarks are no tests (`make test` doesn't collect them): they print what they measure. ARGS can name one file.
# Two processes work on the judgement; a numeric library that starts threads of its own would only slow them down.
MEASURE := OPENBLAS_NUM_THREADS=1 $(VENV)/bin/python -m pytest -q -s
benchmark: $(VENV)/.tools
	$(MEASURE) --override-ini="python_files=bench_*.py" $(or $(ARGS),tests/benchmarks)

benchmark-short: $(VENV)/.tools
	$(MEASURE) --override-ini="python_files=short_*.py" $(or $(ARGS),tests/benchmarks)

# Nor are the soaks. SOAK_SEED, SOAK_KILLS, SOAK_ROUNDS, SOAK_DAYS choose other ones.
soak: $(VENV)/.tools
	$(MEASURE) --override-ini="python_files=soak_*.py" $(or $(ARGS),tests/soak)

# The stamps are what makes a second `make test` start at once; --no-compile, for only what is imported is worth compiling.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "pullback needs Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { echo "Install your system's python3-venv, then try again." >&2; exit 1; }

$(VENV)/.pullback: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) …"
	@$(PIP) install --no-compile --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.tools: tests/requirements.lock $(VENV)/.pullback
	@$(PIP) install --no-compile --require-hashes -r tests/requirements.lock
	@touch $@

# Hashes of every published file, and no trace of this machine's indexes. In a venv of its own: pip-tools is no one's dependency.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/lock/bin/pip-compile --quiet --strip-extras --generate-hashes \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
lock: | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip $(PIP_QUIETLY) install "pip-tools>=7.6,<8"
	@$(PIP_COMPILE) --build-deps-for wheel --extra web -o requirements.lock pyproject.toml $(ARGS)
	@$(PIP_COMPILE) -o tests/requirements.lock tests/requirements.in $(ARGS)

man: $(VENV)/.pullback
	@$(VENV)/bin/python -m daemon.cli.manual > pullback.1
	@echo "Read it: man -l pullback.1"

# --strict: an index that has no advisories must not look like a clean bill of health.
audit: | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip $(PIP_QUIETLY) install "pip-audit>=2.10,<3"
	@for lock in requirements.lock tests/requirements.lock; do \
	  $(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock $(ARGS) \
	    || { echo "$$lock: not audited, or found wanting, see above. \"Not found on PyPI\" means that the index in use" \
	      "has no advisories: try where pypi.org itself can be reached." >&2; exit 1; }; done

# As root. Everything is fetched before the running version is touched; what is installed doesn't need the clone.
NEW := $(PREFIX).new
WHY_NOT := import os, sys; \
  hidden = [p for p in map(os.path.realpath, (sys.executable, sys.base_prefix)) if p.startswith(("/root/", "/home/"))]; \
  sys.version_info < (3, 11) and sys.exit("pullback needs Python 3.11 or later: make install PYTHON=/path/to/python3"); \
  hidden and sys.exit(f"The service may not look into {hidden[0]}: make install PYTHON=/usr/bin/python3")

install:
	@test "$$(id -u)" = 0 || { echo "Only root can install: sudo make install" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -c '$(WHY_NOT)'
	@echo "Fetching what requirements.lock names …"
	@umask 022 && $(SYSTEM_PYTHON) -m venv --clear $(NEW) \
	  || { echo "Install your system's python3-venv, then try again." >&2; exit 1; }
	@umask 022 && $(NEW)/bin/python -m pip $(PIP_QUIETLY) download --only-binary :all: --require-hashes \
	  -r requirements.lock -d $(NEW)/wheels
	@systemd-sysusers $(CURDIR)/systemd/pullback.sysusers
	@echo "Installing into $(PREFIX) …"
	@umask 022 && set -e; \
	  running=; if test -d /run/systemd/system && systemctl --quiet is-active pullback; then running=yes; systemctl stop pullback; fi; \
	  $(SYSTEM_PYTHON) -m venv --clear $(PREFIX); \
	  $(PREFIX)/bin/python -m pip $(PIP_QUIETLY) install --no-index --find-links $(NEW)/wheels --require-hashes -r requirements.lock; \
	  $(PREFIX)/bin/python -m pip $(PIP_QUIETLY) install --no-deps --no-build-isolation .; \
	  rm -rf $(NEW); \
	  install -D -m 0644 systemd/pullback.service $(UNIT); \
	  install -d $(dir $(COMMAND)); \
	  ln -sfn $(PREFIX)/bin/pullback $(COMMAND); \
	  (cd / && $(PREFIX)/bin/python -m daemon.cli.manual) | install -D -m 0644 /dev/stdin $(MAN); \
	  install -d -m 0750 -o root -g pullback $(dir $(CONFIG)); \
	  install -d -m 0700 -o pullback -g pullback $(STATE); \
	  new=; test -e $(CONFIG) || { new=yes; sed '/^\[database\]/,/^\[/ s|^#* *url *=.*|url = "sqlite:///$(STATE)/pullback.db"|' config.example.toml \
	    | install -m 0640 -o root -g pullback /dev/stdin $(CONFIG); }; \
	  if test -d /run/systemd/system; then systemctl daemon-reload; fi; \
	  if test "$$running"; then systemctl start pullback; echo "The service runs the new version."; fi; \
  if test "$$new"; then echo "Installed. Next: fill in $(CONFIG), then: pullback auth; systemctl enable --now pullback"; fi

uninstall:
	@test "$$(id -u)" = 0 || { echo "Only root can uninstall: sudo make uninstall" >&2; exit 1; }
	@if test -d /run/systemd/system && test -e $(UNIT); then systemctl --quiet disable --now pullback; fi
	@rm -rf $(UNIT) $(PREFIX) $(NEW) $(COMMAND) $(MAN)
	@if test -d /run/systemd/system; then systemctl daemon-reload; fi
	@echo "Removed. Kept, with the user pullback: $(dir $(CONFIG)) (configuration) and $(STATE)/ (your data)."

clean:
	rm -rf $(VENV) pullback.1 build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find daemon tests -name __pycache__ -prune -exec rm -rf {} +
