# make run    the live service with a synthetic city      make lint   style and types
# make test   all tests, with what they need installed   make bench  the figures of the README
# make soak   fifty million calls, 200 kills, ten minutes of load: an hour
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Debian packages that tests and the README's picture need: a browser, Chinese glyphs, a SIP proxy and its caller.
APT := openssl chromium fonts-noto-cjk kamailio kamailio-extra-modules sip-tester

.PHONY: help run test lint format bench soak lock clean

help:
	@sed -n '/^# make/s/^# //p' Makefile

# The environment is made anew when the lock changes; otherwise this costs nothing.
$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	    { apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }
	@echo "Installing pinned dependencies into $(VENV) (first time only)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.debian: Makefile | $(VENV)/.installed
	@missing=$$(for p in $(APT); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	    echo "Installing Debian packages for the tests:" $$missing; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@touch $@

run: $(VENV)/.installed
	@$(BIN)/ringfence serve --demo --data out/service

test: $(VENV)/.installed $(VENV)/.debian
	@$(BIN)/python -m ringfence.shell.warm_up
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.installed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.installed
	@$(BIN)/ringfence bench

soak: $(VENV)/.installed
	@$(BIN)/python -m bench capacity soak new_numbers
	@RINGFENCE_KILLS=200 $(BIN)/python -m pytest -q tests/shell/service/test_kill.py

# Writes exact versions with hashes; no registry is named in it.
lock: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	    --custom-compile-command "make lock" --extra dev --python-version 3.11 pyproject.toml requirements.build.in -o requirements.lock

clean:
	@rm -rf $(VENV) build dist out
