# Two commands matter: `make run` and `make test`. Everything they need they install, from requirements/*.txt alone.
.PHONY: run test check bench fuzz lock clean help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

help:
	@echo "make run    install, do a first daily run, serve the dashboard on 127.0.0.1:8501"
	@echo "make test   install what tests need and run them: lint, format, types, tests"
	@echo "make bench  measure speed and memory, print figures and ratios"
	@echo "make fuzz   try hostile input for FUZZ_SECONDS (60) on each reader of it"
	@echo "make kills  kill daily runs in ROUNDS=200 places and compare what the next run makes of it"
	@echo "make lock   write requirements/*.txt anew from pyproject.toml"

# A stamp a set of pins: an install happens once, and again when its pins change.
$(VENV)/.base: requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "scout needs Python 3.11 or newer; set PYTHON=python3.11 or later"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing scout into $(VENV) (a minute or two the first time)"
	@$(PIP) install -r requirements/base.txt
	@$(PIP) install --no-deps --no-build-isolation -e . 2>/dev/null || $(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/evals.txt requirements/ray.txt $(VENV)/.base
	@echo "installing what tests need"
	@$(PIP) install -r requirements/dev.txt -r requirements/evals.txt -r requirements/ray.txt
	@touch $@

# A failing first run (no network, say) is told in one line and does not keep the dashboard from opening: it says what to do.
run: $(VENV)/.base
	@$(BIN)/scout run || true
	@exec $(BIN)/scout dashboard

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.dev
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest tests/test_fuzz.py $(ARGS)

ROUNDS ?= 200
kills: $(VENV)/.dev
	$(BIN)/python tests/kill_rounds.py --rounds $(ROUNDS)

# Needs uv. One solution for all that can share an environment, then a file an extra held to it; vllm brings its own torch
# and is pinned apart.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url pyproject.toml
lock:
	together=$$(mktemp) && \
	$(COMPILE) --extra dev --extra evals --extra rl --extra ray --extra login --extra archive --extra mcp --output-file $$together && \
	$(COMPILE) --constraint $$together --output-file requirements/base.txt && \
	for extra in dev evals rl ray login archive mcp; do \
	  $(COMPILE) --extra $$extra --constraint $$together --output-file requirements/$$extra.txt || exit 1; \
	done && rm $$together
	$(COMPILE) --extra vllm --output-file requirements/vllm.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
