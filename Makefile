# The study's commands; `make` alone lists them. Each makes the environment .venv first, where it is not there yet.

# To use an environment of your own, for example conda's: make study COLORLIB_PYTHON=python
ifdef COLORLIB_PYTHON
  PYTHON := $(COLORLIB_PYTHON)
  READY :=
else
  PYTHON := .venv/bin/python
  READY := .venv/.ready
endif

STUDY ?= quick
PORT ?= 8501
IMAGES ?= 10000
OUT ?= page
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

.PHONY: help study app browser-page lint check test examples unit cluster lab bench rendered

help:
	@echo 'make study            run the quick study on the embedded scenes and write its report (about six minutes)'
	@echo '     STUDY=photos     another study of notebooks/studies, or the path of one'
	@echo '     DATA=FOLDER      on these photographs: a folder, a zip, a tar, or what `colorlib prepare` made'
	@echo '     JOBS=4           rows at a time (default: one for each processor)'
	@echo 'make app              open the page that colours photographs (PORT=8501)'
	@echo 'make browser-page     write a folder that colours photographs in a browser without a server (OUT=page)'
	@echo 'make lab              open the notebooks in JupyterLab'
	@echo 'make rendered         execute the notebooks and write them as pages (NOTEBOOK=12, IMAGES=10000 for each training)'
	@echo 'make check            lint, types, and the unit tests that train nothing: after a change of a line'
	@echo 'make test             lint, types, unit tests, examples, notebooks and a tiny study from end to end'
	@echo 'make bench            measure the library beside the usual ways (PHOTOGRAPHS=1000000: in a store; default 10000)'
	@echo 'More: .venv/bin/colorlib --help'

.venv/.ready: pyproject.toml install.sh
	@./install.sh

# exec, and the parent's id, so that nothing goes on running when make is killed
study: $(READY)
	@exec env COLORLIB_DIE_WITH_PARENT=$$PPID $(PYTHON) -m colorlib study "$(STUDY)" \
	    $(if $(DATA),--data "$(DATA)") $(if $(JOBS),--jobs "$(JOBS)")

# from where the page's settings lie beside it, .streamlit/config.toml
app: $(READY)
	@exec $(PYTHON) -m streamlit run colorlib/app/main.py --server.port $(PORT)

browser-page: $(READY)
	@exec $(PYTHON) -m colorlib browser-page --out "$(OUT)"

lab: $(READY)
	@exec $(PYTHON) -m jupyter lab notebooks

rendered: $(READY)
	@exec $(PYTHON) -m colorlib render $(NOTEBOOK) --images $(IMAGES)

bench: $(READY)
	@exec $(PYTHON) tests/bench.py

lint: $(READY)
	$(PYTHON) -m ruff check colorlib tests notebooks conftest.py
	$(PYTHON) -m ruff format --check colorlib tests notebooks conftest.py
ifneq ($(NOTEBOOKS),)
	$(PYTHON) -m nbstripout --verify --keep-id --keep-count --extra-keys "metadata.papermill cell.metadata.papermill" $(NOTEBOOKS)
endif
	$(PYTHON) -m mypy

check: lint
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q -n 2 --dist loadfile -m "not slow" tests

# independent of one another, so that `make -j3 test` leaves no core idle while mypy thinks and Slurm's tests wait
test: lint examples unit cluster

examples: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q --doctest-modules colorlib --ignore=colorlib/app

unit: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/cluster tests

cluster: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q tests/cluster
