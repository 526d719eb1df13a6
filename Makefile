# Every target sets up what it needs in .venv, so each works as the first command after a clone.
# uv is used where it is installed; venv and pip do the same job elsewhere.

PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
create = uv venv --quiet --allow-existing --python "$(PYTHON)" .venv
install = uv pip install --quiet --python $(BIN)/python
else
# Groups of dependencies need pip 25.1.
create = "$(PYTHON)" -m venv .venv && $(BIN)/python -m pip install --quiet "pip>=25.1"
install = $(BIN)/python -m pip install --quiet
endif

.PHONY: all demo test test-slow check docs clean

all: check test

.venv/.demo: pyproject.toml
	$(create)
	$(install) -e ".[offline]"
	@touch $@

.venv/.dev: pyproject.toml
	$(create)
	$(install) -e ".[all]" --group dev
	@touch $@ .venv/.demo

demo: .venv/.demo ## a watchable MP4: no key, no network
	$(BIN)/visionpulse create examples/deep_ocean.txt --provider offline --picture-size 1536x864 --home demo --force -o demo/deep_ocean.mp4

test: .venv/.dev ## the fast tests
	$(BIN)/python -m pytest

test-slow: .venv/.dev ## the others: kills, storms, many writers
	$(BIN)/python -m pytest -m slow

check: .venv/.dev ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	@# The public API's types, as a user's checker meets them: from an installed copy.
	$(install) --no-deps --upgrade --target .venv/typed .
	cd .venv && { PATH="$$PWD/bin:$$PATH" PYTHONPATH="$$PWD/typed" \
		pyright --verifytypes visionpulse --ignoreexternal >typed.log || { cat typed.log; exit 1; } }
	@grep completeness .venv/typed.log

docs: .venv/.dev
	$(BIN)/mkdocs build --strict

clean:
	rm -rf .venv demo site dist
