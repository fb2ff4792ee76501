# The everyday commands. Each sets up .venv by itself, and only when pyproject.toml or requirements.lock changed.
#
#   make demo      apply a shipped spec to the built-in emulator: no Azure, no sign-in
#   make test      run all tests offline
#   make coverage  the same with branch coverage, which takes a fifth longer
#   make soak      random edits, faults and kills for as many seeds as SOAK_RUNS says, and a kill at every request
#   make bench     measure: ratios against a floor, none of it asserted; BENCH=plans for one part, see bench/__init__.py
#   make lint      formatting, ruff, mypy --strict
#   make golden    rewrite expected output and the generated parts of the docs; read the diff afterwards
#   make docs      build the pages into docs/_build/html
#   make recording play the session of the README's picture again, and draw it
#   make lock      pin the newest versions that fit pyproject.toml
#
# make PYTHON=python3.12 demo   uses another interpreter for a new .venv

VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.asstops-setup
PYTHON ?=
DEMO ?= specs/sales.yaml
TESTS ?= tests
BENCH ?=
SOAK_RUNS ?= 200
ifndef SOAK_SEED
SOAK_SEED := $(shell date +%s)
endif

# Finds Python 3.10 or newer: what PYTHON names, else python3, else a versioned one.
FIND_PYTHON = found=; \
	for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python3.10); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "asstops needs Python 3.10 or newer, and $(or $(PYTHON),python3) is not that. Name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; \
	fi

.PHONY: demo test coverage soak bench lint golden docs recording lock
.DEFAULT_GOAL := demo

$(SETUP): pyproject.toml requirements.lock
	@$(FIND_PYTHON); \
	if [ ! -x $(BIN)/python ]; then \
	  echo "Setting up $(VENV) with $$($$found --version) ..."; \
	  "$$found" -m venv $(VENV) || { \
	    echo "Python could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	    rm -rf $(VENV); exit 1; }; \
	fi
	@echo "Installing what requirements.lock pins ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# A copy in a temporary folder: nothing of yours is touched, and a second run starts afresh.
demo: $(SETUP)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	asstops="$(CURDIR)/$(BIN)/asstops" && cp -R specs "$$folder" && cd "$$folder" && \
	echo && echo '$$ asstops --local -f $(DEMO) apply --auto-approve' && \
	"$$asstops" --local -f $(DEMO) apply --auto-approve && \
	echo && echo '$$ asstops --local -f $(DEMO) output' && \
	"$$asstops" --local -f $(DEMO) output && \
	echo && echo '$$ asstops --local -f $(DEMO) plan' && \
	"$$asstops" --local -f $(DEMO) plan --detailed-exitcode

test: $(SETUP)
	@$(BIN)/python -m pytest -n auto $(TESTS)

coverage: $(SETUP)
	@$(BIN)/python -m pytest -n auto --cov --cov-report=term --cov-fail-under=90 $(TESTS)

# A failure says its seed and how to play it again.
soak: $(SETUP)
	@echo "$(SOAK_RUNS) seeds from $(SOAK_SEED) on ..."
	@SOAK_SEED=$(SOAK_SEED) SOAK_RUNS=$(SOAK_RUNS) CRASH_EVERY=1 CRASH_SEEDS=50 $(BIN)/python -m pytest -q -n auto \
	  tests/faults/test_soak.py tests/faults/test_crash_sweep.py

bench: $(SETUP)
	@$(BIN)/python -m bench $(BENCH)

lint: $(SETUP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict asstops

golden: $(SETUP)
	@$(BIN)/python -m pytest -q -n auto --update-golden tests
	@git --no-pager diff --stat

docs: $(SETUP)
	@$(BIN)/python -m sphinx -W --keep-going -q -b html -c docs -d docs/_build/doctrees . docs/_build/html
	@echo "docs/_build/html/index.html"

recording: $(SETUP)
	@$(BIN)/python docs/recording/record.py

# uv in an environment of its own: it is needed for nothing else. setuptools builds the package, so it is pinned too.
lock:
	@$(FIND_PYTHON); folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	"$$found" -m venv "$$folder" && "$$folder/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	echo 'setuptools>=77' | "$$folder/bin/uv" pip compile --quiet --no-config --upgrade --universal --python-version 3.10 \
	  --no-annotate --custom-compile-command 'make lock' --extra emulator --extra dev pyproject.toml - \
	  -o requirements.lock
