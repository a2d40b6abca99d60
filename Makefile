PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test test-quick test-long bench lint ui lock image

repro: .venv/installed
	@notedecay fetch
	@before=$$(md5sum dvc.lock 2>&1); dvc repro && if [ "$$before" = "$$(md5sum dvc.lock 2>&1)" ]; \
		then echo "nothing has changed since the last run; its results:"; fi
	@notedecay report

test: lint
	OMP_NUM_THREADS=1 pytest -m "not long" --numprocesses auto --dist loadfile --no-loadscope-reorder

# Without the end-to-end tests, in a third of the time.
test-quick: lint
	OMP_NUM_THREADS=1 pytest -m "not end_to_end and not long" --numprocesses auto --dist loadfile --no-loadscope-reorder

# What takes minutes each, such as every fault that can meet a search.
test-long: .venv/installed-dev
	OMP_NUM_THREADS=1 pytest -m long --numprocesses auto --dist loadfile --no-loadscope-reorder

# Ratios of one run each, kept in docs/performance.md; needs a prepared piano and an idle machine.
bench: export OMP_NUM_THREADS := 1
bench: .venv/installed-dev
	python benchmarks/generation.py
	python benchmarks/learned_notes.py
	python benchmarks/scale_notes.py 100 1000
	python -m benchmarks.workers piano

lint: .venv/installed-dev
	ruff check src tests benchmarks
	ruff format --check src tests benchmarks
	mypy

ui: .venv/installed
	@notedecay ui

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/pip install --quiet --requirement requirements-dev.lock
	touch $@

COMPILE := --quiet --strip-extras --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host

# Pins all dependencies anew from the ranges in pyproject.toml.
lock:
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet pip-tools
	.venv/lock/bin/pip-compile $(COMPILE) --upgrade --output-file requirements.lock pyproject.toml
	.venv/lock/bin/pip-compile $(COMPILE) --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml
	sed -i 's/^torch==\([0-9.]*\).*/torch==\1/' requirements.lock requirements-dev.lock

# Builds the container image with buildah, podman or docker, whichever is there.
ENGINE ?= $(or $(shell for each in buildah podman docker; do command -v $$each && break; done),docker)
BASE_IMAGE ?= python:3.11-slim-bookworm
image:
	$(ENGINE) build $(BUILD_FLAGS) --build-arg BASE_IMAGE=$(BASE_IMAGE) --tag notedecay .
