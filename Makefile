# Needs Python ≥ 3.11 and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SUPPLY := $(VENV)-supply

# Tests start hundreds of programs of ours: where no bytecode may be kept, each of them compiles every module anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo docs pytest pytest-all test test-all bench lint types imports format audit sbom clean

help:  ## the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "medaudit needs Python 3.11 or newer; say which with make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

demo: $(STAMP)  ## a flawed dataset made on the spot, audited
	$(BIN)/medaudit demo medaudit-demo

docs: $(STAMP)  ## the pages as a site: build/docs/index.html; a warning is an error
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/python docs/make_pages.py
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs

lint: $(STAMP)  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy --strict
	$(BIN)/mypy

imports: $(STAMP)  ## who may import whom
	$(BIN)/lint-imports

format: $(STAMP)  ## write the formatting
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

pytest: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

pytest-all: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m ''

test: $(STAMP)  ## what CI runs
	$(MAKE) lint imports
	$(MAKE) --jobs=2 types pytest  # mypy has use for one core alone

test-all: $(STAMP)  ## the same plus simulations, fuzz and browser
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,browser]'
	$(MAKE) lint types imports
	$(MAKE) pytest-all
	$(MAKE) audit

$(SUPPLY)/.installed:
	$(PYTHON) -m venv $(SUPPLY)
	-$(SUPPLY)/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9' 'cyclonedx-bom>=7' && touch $@

audit: $(STAMP) $(SUPPLY)/.installed  ## known weaknesses of the installed packages (needs PyPI; says NOT RUN without)
	$(BIN)/python benchmarks/packages.py $(SUPPLY)/bin/pip-audit "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

sbom: $(STAMP) $(SUPPLY)/.installed  ## software bill of materials of a release: sbom.json (CycloneDX), checked against its schema
	$(SUPPLY)/bin/cyclonedx-py environment $(VENV) --pyproject pyproject.toml --sv 1.6 --of JSON -o sbom.json --validate

bench: $(STAMP)  ## what a scan costs, held against what was recorded (a few minutes)
	$(BIN)/python -m benchmarks.start --repeat 2 --headers 500 --check
	$(BIN)/python -m benchmarks.scan --images 60 --repeat 2 --profiled 20 --check

clean:  ## remove what the targets made
	rm -rf $(VENV) $(SUPPLY) sbom.json medaudit-demo medaudit-out build ./*.egg-info
