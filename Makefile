# dubstrap: `make` lists what there is. All that these targets install and compute stays in this folder.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
SCALE  ?= studio
VENV   := .venv
READY  := $(VENV)/.ready

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup params repro flow server review release test lint clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## Make .venv and install the pinned packages into it (a second call does nothing)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "error: dubstrap needs Python 3.11; got $$($(PYTHON) --version 2>&1) at '$(PYTHON)'." \
	    "Name one: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --editable '.[train,dev]' --constraint constraints.txt
	$(VENV)/bin/python -m pip check
	@touch $@

params: setup ## Compose params.yaml from configs/ (SCALE=smoke|studio|gpu|paper)
	@python -m flows.params scale=$(SCALE)

data: | setup ## Render the embedded footage into data/, where there is no such folder
	@dvc checkout --quiet data.dvc 2>/dev/null || python -m components.studio --out data

repro: setup data ## Render the footage where data/ is absent, run every stage that is out of date, show the metrics
	@python -m flows.params --check || echo "(going on with params.yaml as it is)" >&2
	@dvc repro
	@python -m flows.summary

flow: setup data ## The same stages as a Prefect flow with retries, logs and artifacts
	@python -m flows.pipeline

server: setup ## Start Prefect's server and its page on this machine; flows started after it report to it
	@prefect server start

review: setup ## Build the page about the last run and keep what people decide in it
	@python -m components review --serve

release: setup ## Pack the approved model, its cards, checksums and licence into dist/
	@python -m components promote --release dist

test: setup lint ## Check format, lint and types, then run every test, the whole pipeline at scale=smoke included
	@pytest -n 2 -m "not slow"
	@pytest -n 2 --dist loadfile -m slow --durations=5

lint: setup ## Check format, lint and types only
	@ruff format --check .
	@ruff check .
	@mypy

clean: ## Remove artifacts/, plots' pages and tool caches; never data/ nor DVC's cache
	rm -rf artifacts dvc_plots .pytest_cache .mypy_cache .ruff_cache .prefect
