# Everything a developer needs, from nothing but `python3` (3.11 or later) and `make`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
API ?= 1.3.0
DEV := .venvs/dev/bin
SAM := .venvs/sam/bin

export SAM_CLI_TELEMETRY := 0
# sam validate and cfn-lint need some region; they ask nobody.
export AWS_DEFAULT_REGION ?= us-east-1

PYTHON_FILES := src tests .ci

.PHONY: help bootstrap demo test quick browse browser screenshots lint bench plots soak mutants fmt lock dist zipapp site clean

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

bootstrap:  ## make the environments (nothing to do when they are up to date)
	@$(PYTHON) .ci/bootstrap.py

demo: bootstrap  ## the whole backup on this machine: local SmugMug, local AWS (API=v2 for the other API)
	@PYTHONPATH=src $(DEV)/python -m tests.demo --api $(API) --keep .demo/backup

test: lint  ## everything that has to hold: lint, imports, types, template, tests
	@echo "pytest"
	@$(DEV)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests

quick: bootstrap  ## the pure tests only: no server, no stack, no proof (seconds)
	@$(DEV)/pytest --quick -n 2 --dist loadfile tests/unit

browse: bootstrap  ## look through what `make demo` made, in your browser (Ctrl-C ends it)
	@PYTHONPATH=src $(DEV)/python -m smugmug_backup.cli browse .demo/backup

browser: bootstrap  ## the pages in a headless Chromium, which this fetches without root
	@$(PYTHON) .ci/browser.py
	@$(DEV)/pytest tests/browser

screenshots: bootstrap  ## pictures of the pages for README.md, light and dark
	@$(PYTHON) .ci/browser.py
	@PYTHONPATH=src $(DEV)/python -m tests.browser.screenshots docs/pictures

lint: bootstrap  ## format, lint, who imports whom, types, template and workflows only
	@echo "ruff, import-linter, mypy, bandit"
	@$(DEV)/ruff format --check --quiet $(PYTHON_FILES)
	@$(DEV)/ruff check --quiet $(PYTHON_FILES)
	@said=$$(PYTHONPATH=src $(DEV)/lint-imports --no-cache --no-logo) || { echo "$$said"; exit 1; }
	@$(DEV)/mypy --strict --no-error-summary src
	@$(DEV)/bandit --quiet --recursive --configfile pyproject.toml src
	@echo "cfn-lint, sam validate"
	@$(DEV)/cfn-lint template.yaml
	@$(SAM)/sam validate --lint --template template.yaml >/dev/null
	@echo "zizmor, actionlint, check-jsonschema"
	@$(PYTHON) .ci/workflows.py

.PHONY: audit sbom
audit:  ## is anything that is pinned known to be vulnerable? (asks a public database)
	@$(PYTHON) .ci/bootstrap.py publish
	@for each in requirements requirements-tool; do .venvs/publish/bin/pip-audit --disable-pip \
		--require-hashes --requirement src/$$each.txt; done
	@for each in dev ministack sam publish browser; do .venvs/publish/bin/pip-audit --disable-pip \
		--no-deps --requirement tests/requirements-$$each.txt; done

sbom:  ## what is in what is published, in CycloneDX: after `make zipapp`
	@$(PYTHON) .ci/bootstrap.py publish
	@.venvs/publish/bin/python .ci/sbom.py

bench: bootstrap  ## how fast, how large, how many requests, each with its goal (about 20 minutes)
	@$(DEV)/python -m tests.bench --json bench.json

plots: bootstrap  ## docs/performance.md and its plots, from the figures of the last `make bench`
	@$(DEV)/python -m tests.bench.page bench.json

soak: bootstrap  ## the proof at full length: crash points, kills, years, a million images
	@$(DEV)/python -m tests.proof.soak

mutants: bootstrap  ## do the tests see? COUNT= defects by SEED= into what changed since BASE=, or MODULES=
	@$(DEV)/python -m tests.proof.mutants $(MODULES) $(if $(BASE),--base $(BASE)) \
		$(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

fmt: bootstrap  ## format the code and mend what can be mended
	@$(DEV)/ruff format --quiet $(PYTHON_FILES)
	@$(DEV)/ruff check --quiet --fix $(PYTHON_FILES)

lock: bootstrap  ## pin what the function, the program of one file and the image carry, with hashes
	@$(PYTHON) .ci/bootstrap.py publish
	@$(DEV)/python .ci/lock.py

dist:  ## what is published into dist/: wheel, sdist, SHA256SUMS; the same bytes each time
	@$(PYTHON) .ci/bootstrap.py publish
	@.venvs/publish/bin/python .ci/dist.py

zipapp: dist  ## the owner's tool as one file for any Python from 3.11 on: dist/smugmug-backup.pyz
	@.venvs/publish/bin/python .ci/onefile.py

site:  ## README.md and docs/ as a site, build/site/html, with every link and anchor checked
	@$(PYTHON) .ci/bootstrap.py publish
	@.venvs/publish/bin/python .ci/site.py

clean:  ## remove what was built (the environments too)
	rm -rf .venvs .aws-sam .demo build dist src/*.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
