# Two commands do everything: `make run` opens the window, `make test` checks the whole project.
# The environment lives in .venv and is made again only when the files that name dependencies change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# What a release is frozen with in front of the environment: PyAV on an FFmpeg without GPL parts.
FOR_RELEASE := build/release

.PHONY: run demo test test-package lint sample package av-wheel release clean

run: $(READY)
	@$(BIN)/python packaging/check_system.py window
	@$(BIN)/python -m app

demo: $(READY)
	@$(BIN)/python -m app demo

# One thread of arithmetic for each of the two runners: more would wait for one another. Faults are provoked at some of
# the moments and places they can strike; `make test PYTEST_ARGS='-m "lengthy or not lengthy"'` does it at all of them.
test: lint
	@$(BIN)/python packaging/check_system.py offscreen
	OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2 --dist worksteal tests $(PYTEST_ARGS)

# The frozen folder on a machine that has nothing: dist/semblance, or SEMBLANCE_FROZEN=DIR.
test-package: $(READY)
	@$(BIN)/python packaging/check_system.py package-tests
	$(BIN)/python -m pytest -m package tests/package $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

sample: $(READY)
	$(BIN)/python packaging/make_sample.py

# PACKAGE_ARGS: --with-pack FILE carries models, --folder-only makes no installers; “packaging/build.py --help” has all.
package: $(READY)
	$(BIN)/python packaging/build.py $(PACKAGE_ARGS)

release: $(READY) $(FOR_RELEASE)/ready
	PYTHONPATH=$(CURDIR)/$(FOR_RELEASE) $(BIN)/python packaging/build.py --release $(PACKAGE_ARGS)

av-wheel: $(FOR_RELEASE)/ready

$(FOR_RELEASE)/ready: $(wildcard packaging/ffmpeg/*.py) packaging/ffmpeg/requirements.txt constraints.txt | $(READY)
	rm -rf build/wheels $(FOR_RELEASE)
	$(BIN)/python packaging/ffmpeg/make_wheel.py
	$(BIN)/python -m pip install --quiet --no-deps --target $(FOR_RELEASE) build/wheels/av-*.whl
	PYTHONPATH=$(FOR_RELEASE) $(BIN)/python packaging/ffmpeg/check.py
	@touch $@

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) packaging/check_system.py build
	@echo "Setting up $(VENV): about 5 GB, some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	HNSWLIB_NO_NATIVE=1 $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
