# make run   sets up a virtual environment and runs the main scenario to a report
# make test  sets up a virtual environment and runs the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test test-long tutorials lint bench docs verify check clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[test,cluster]"
	touch $@

run: $(VENV)/.installed
	$(BIN)/python run_sim.py run scenarios/baseline.yaml --check-invariants every --out runs/baseline
	$(BIN)/python run_sim.py report runs/baseline

test: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not slow" -n 2

test-long: $(VENV)/.installed
	SALUS_LONG=1 $(BIN)/python -m pytest -n 2

tutorials: $(VENV)/.installed
	$(BIN)/python docs/tutorials/execute.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

verify: $(VENV)/.installed
	$(BIN)/python run_sim.py verify --write docs/VALIDATION.md

check: $(VENV)/.installed
	$(BIN)/python run_sim.py check scenarios/*.yaml

docs: $(VENV)/.installed
	$(BIN)/python -m sim.reference docs

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) runs build dist *.egg-info
