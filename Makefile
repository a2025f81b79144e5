# Everything is set up by itself: each target that needs the environment makes .venv first, and again when the pins change.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -u -m pip install --progress-bar off --disable-pip-version-check --no-compile --constraint constraints.txt

# One line that says what pip is doing, and how long it took; its errors stay on the screen, and its exit status counts.
SHELL := /bin/bash
define installed
	@set -o pipefail; SECONDS=0; \
	$(PIP) --editable '.[$(1)]' | while IFS= read -r line; do \
		case $$line in Collecting*|Downloading*|Building*|Installing*) [ ! -t 2 ] || printf '\r\033[K  %.70s' "$$line" >&2;; esac; \
	done || exit 1; \
	[ ! -t 2 ] || printf '\r\033[K' >&2; \
	echo "  done in $$SECONDS s" && echo $$SECONDS > $@
endef
# How long a target took last, from the file that it leaves.
last = $(or $(patsubst %,it took % s last time,$(shell cat $@ 2>/dev/null)),a minute or two the first time for downloads)

SPHINX := $(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet

# The packages are compiled when first imported, not when installed; that must be kept, or every start takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install train test test-long lint architecture bench docs docs-serve docs-links notebooks gpu race clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/runs: pyproject.toml constraints.txt
	@echo "setting up .venv with csrgan and PyTorch: $(last)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "csrgan needs Python 3.11, 3.12 or 3.13; name one as in: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	$(call installed,perceptual)

.venv/tests: .venv/runs
	@echo "adding the tools for tests and lint: $(last)"
	$(call installed,dev)

.venv/docs: .venv/tests
	@echo "adding the tools for the site: $(last)"
	$(call installed,docs)

install: .venv/runs  ## make .venv with csrgan in it

train: .venv/runs  ## train CSRGAN on the photographs inside the scikit-image wheel; minutes on two cores
	@echo "csrgan train: loading PyTorch and the photographs; the first batch follows within a minute"
	@$(BIN)/csrgan train

test: .venv/tests  ## run the tests, in two processes
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

test-long: .venv/tests  ## run the tests that take many minutes
	@$(BIN)/python -m pytest -m long -o faulthandler_timeout=3600

architecture: .venv/tests  ## draw the picture in ARCHITECTURE.md anew, from the imports
	@$(BIN)/python tests/architecture.py

lint: .venv/tests  ## check style, types, the direction of imports and spelling
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo
	@$(BIN)/codespell src conf docs tests experiments *.md

docs: .venv/docs  ## build the site into docs/build/html, check its links, run its examples
	@$(SPHINX) -b html docs docs/build/html
	@$(BIN)/python -m pytest -m docs --numprocesses 2 --dist load --max-worker-restart 0 tests/docs tests/notebooks

docs-serve: .venv/docs  ## show the site in a browser, and build it again whenever a page changes
	@$(BIN)/sphinx-autobuild --open-browser --port 0 --ignore '*/build/*' --ignore '*/notebooks/*' --ignore '*/generated/*' docs docs/build/html

notebooks: .venv/tests  ## run the notebooks and keep their outputs
	@$(BIN)/jupyter execute --inplace notebooks/*.ipynb

docs-links: .venv/docs  ## check the links to the world; needs a network
	@$(SPHINX) -b linkcheck docs docs/build/links

gpu:  ## check everything that only a GPU can tell, under nine minutes; writes runs/gpu
	@$(or $(wildcard $(BIN)/python),python3) tests/gpu/check.py cuda

race: .venv/runs  ## time five seeds of the default setting until +0.5, +1.0 and +1.25 dB: half an hour; writes runs/race
	@$(BIN)/csrgan train sweep=race && $(BIN)/csrgan report runs/race reach=[0.5,1.0,1.25]

bench: .venv/runs  ## time the degradation; prints ratios and writes runs/bench.json
	@$(BIN)/csrgan bench

clean:  ## remove .venv and what tools left behind; runs/ stays
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache build dist docs/build docs/reference/generated docs/tutorials/notebooks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
