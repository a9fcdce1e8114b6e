# Every target sets up what it needs in .venv, from a machine that has python3 and make, and does so once.
#
#   make PYTHON=python3.12          another interpreter (3.10 to 3.13; 3.11 is preferred where found)
#   make TORCH="torch>=2.4,<3"      another torch, e.g. the newest with CUDA
#
# On Windows from Git Bash, whose sh, rm and find these lines need.

TORCH ?= torch==2.13.0
VENV ?= .venv
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.10 python3.13 python; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && echo $$p && break; done)
ifeq ($(OS),Windows_NT)
SHELL := sh.exe
PY := $(VENV)/Scripts/python.exe
else
PY := $(VENV)/bin/python
endif
READY := $(VENV)/.ready
BENCHMARKS := denoise papers real independent null safety main_job noise_texture time_models pairs_needed \
	motion outliers preparation registration arrival tissue tissue_guess panel fresh_clone \
	field_cases fuzz brain_mask other_head regions t1_contrast \
	superresolution superresolution_learned superresolution_real superresolution_time delays delays_real \
	cohort cohort_scheduler few_scans adapting bold diffusion index
SCREEN := libglib2.0-0 libegl1 libgl1 libgl1-mesa-dri libxkbcommon0 libdbus-1-3 libfontconfig1

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUNBUFFERED := 1

.PHONY: help demo test lint format benchmarks index-checks publish $(addprefix benchmark-,$(BENCHMARKS)) setup screen clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

demo: setup ## denoise the sample series and leave maps, pictures and a report in out/
	$(PY) -m ASLDenoiseLib demo

test: setup ## spelling, lint and every test; one failing does not hide the other
	@status=0; \
	$(PY) -m codespell_lib || status=1; \
	$(PY) -m ruff check . || status=1; \
	$(PY) -m ruff format --check . || status=1; \
	$(PY) -m pytest -n auto --maxprocesses 8 || status=$$?; \
	exit $$status

lint: setup ## spelling; ruff: rules and format
	$(PY) -m codespell_lib
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: setup ## let ruff fix what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

benchmarks: ## name the benchmarks; `make benchmark-NAME` measures one and writes its table
	@echo $(addprefix benchmark-,$(BENCHMARKS))

$(addprefix benchmark-,$(BENCHMARKS)): benchmark-%: setup
	$(PY) -m pip install --quiet --editable '.[benchmark]'
	$(PY) -m Testing.Benchmarks.$*

publish: setup ## the repository of releases alone that the Extensions Index clones, in OUT=, and the archive beside it
	@test -n "$(OUT)" || { echo "Say where: make publish OUT=../published"; exit 1; }
	$(PY) -m Testing.Packaging.publish "$(OUT)"

index-checks: setup ## the Extensions Index's own checks: INDEX=, SLICER= name checkouts of Slicer/ExtensionsIndex, Slicer/Slicer
	$(PY) -m pip install --quiet 'jsonschema>=4,<5'
	$(PY) -m Testing.Benchmarks.index $(if $(INDEX),--index $(INDEX)) $(if $(SLICER),--slicer $(SLICER))

setup: screen $(READY) ## .venv with everything the other targets need

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.10 to 3.13 found; install python3.11, or say make PYTHON=/path/to/python."; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "Installing python3-venv ..." \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			"$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" \
		&& $(PYTHON) -m venv --clear $(VENV); } || { \
		echo "$(PYTHON) cannot make a virtual environment; run: sudo apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PY) --version): $(TORCH) first, so that nothing else pulls in a larger one."
	$(PY) -m pip install --quiet $(TORCH)
	$(PY) -m pip install --quiet --editable '.[dev]'
	@$(PY) -m pip install --quiet --editable '.[scene]' \
		|| echo "slicer-core has no wheel for this machine: going on without the Slicer scene; its tests will be skipped."
	@touch $@

# Off-screen pictures need a few system libraries; without them everything else still works.
screen:
	@command -v apt-get >/dev/null || exit 0; \
	missing=""; for p in $(SCREEN); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
		echo "Installing the off-screen libraries:$$missing"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } && exit 0; fi; \
	echo "For off-screen pictures run: sudo apt-get install -y$$missing"

clean: ## remove the environment, the results and the caches
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
