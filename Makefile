# Everything anyone needs: `make demo`, `make test`. The rest is for those who work on it.
# Needs Python 3.11 or newer, and make; it installs the rest into .venv from pinned, hashed requirements.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILED = --universal --generate-hashes --python-version 3.11 --custom-compile-command "make requirements"
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-fast test-bench test-analytics test-beam test-fuzz test-site test-cms cms lint bench chaos mutants fuzz up zips docs site api-release requirements clean help

help: ## List the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/' | expand -t 16

demo: $(VENV)/.local ## Replay a real purchase history and a short story through the functions
	$(BIN)/upbeat demo

# The tests of a module or class stay in one worker, since they may share a costly fixture. tests/conftest.py has their order.
WORKERS := --dist loadscope --no-loadscope-reorder -n
# Three workers for two processors, because the tests that use the emulators mostly wait for them.
test: $(VENV)/.dev ## Run every test; without Java and the gcloud SDK, those that need the emulators are skipped
	$(BIN)/python -m pytest $(WORKERS) 3 --ignore tests/bench

test-fast: $(VENV)/.dev ## Run the tests for the edit loop, in some minutes: all but the slow ones (over 2 s) and those that need the emulators
	$(BIN)/python -m pytest $(WORKERS) 2 -m "not emulator and not slow" --ignore tests/bench

test-bench: $(VENV)/.dev $(VENV)/.bench ## Run the tests of the benchmarks, which compare with GrowthBook's SDK
	$(BIN)/python -m pytest tests/bench

ANALYSTS_TESTS := tests/infra/analytics tests/infra/commands/test_erase_tables.py tests/infra/commands/test_features.py tests/infra/commands/test_warehouse.py \
	tests/e2e/test_experiment_guard.py tests/simulation/test_experiments.py tests/simulation/test_replayed_experiment.py
ANALYSTS_PAGES := tests/test_docs.py tests/test_readme.py
test-analytics: $(VENV)/.dev $(VENV)/.analytics ## Run the tests of the warehouse, reports, training and policies, with the analysts' requirements
	$(BIN)/python -m pytest $(WORKERS) 3 $(ANALYSTS_TESTS)
	$(BIN)/python -m pytest -m "not emulator" $(ANALYSTS_PAGES)

test-beam: $(VENV)/.dev $(VENV)/.beam ## Run the tests of the Beam pipelines, with Beam in a virtual environment of its own
	$(VENV)/beam/bin/python -m pytest --noconftest -o addopts= -W ignore::pytest.PytestConfigWarning --import-mode=importlib -q tests/infra/beam
	$(BIN)/python -m pytest tests/infra/commands/test_beam_runner.py

test-fuzz: $(VENV)/.dev $(VENV)/.fuzz ## Fuzz the envelope, the catalog loader and the API for 10 s each
	$(MAKE) fuzz SECONDS=10

test-site: $(VENV)/.dev $(VENV)/.docs ## Build the site of docs/ with every link checked, and check what it asks a browser to load
	$(BIN)/python -m pytest tests/test_site.py

test-cms: $(VENV)/.dev $(VENV)/cms/.installed ## Run the tests of the Wagtail site in infra/cms, and of what it is for, from an edit to the trigger
	cd infra/cms && ../../$(VENV)/cms/bin/python -m pytest
	UPBEAT_WAGTAIL_SITE=$(CURDIR)/$(VENV)/cms $(BIN)/python -m pytest tests/e2e/test_wagtail_site.py

API := shared/contracts/api
lint: $(VENV)/.dev ## Check style, formatting, types, the direction of imports, the API, and that generated documents are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.generate --check
	$(BIN)/buf lint $(API)
	$(BIN)/buf breaking $(API) --against $(API)/decisions.binpb
	$(BIN)/check-jsonschema -q --builtin-schema vendor.cloudbuild cloudbuild.yaml infra/deploy/*.cloudbuild.yaml

bench: $(VENV)/.dev $(VENV)/.bench ## Measure against baselines and goals, within one run; ONLY=function,parts QUICK=1 JSON=FILE; AGAINST=REF: another version
	$(BIN)/python -m tests.bench $(if $(ONLY),--only '$(ONLY)') $(if $(QUICK),--quick) $(if $(JSON),--json '$(JSON)') \
		$(if $(AGAINST),--against '$(AGAINST)')

chaos: $(VENV)/.dev ## Kill, cut and delay a running Upbeat and check every law; SECONDS=600 SEED=1 SABOTAGE=stale_cache JSON=1
	$(BIN)/python -m tests.chaos --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) \
		$(if $(SABOTAGE),--sabotage $(SABOTAGE)) $(if $(JSON),--json)

mutants: $(VENV)/.dev $(VENV)/.mutants ## Change the pure rooms bit by bit, and list what no test notices; takes hours; ONLY='shared.domain.ring.*' is shorter
	$(BIN)/mutmut run --max-children 1 $(if $(ONLY),'$(ONLY)')
	$(BIN)/mutmut results

fuzz: $(VENV)/.dev $(VENV)/.fuzz ## Try inputs that coverage finds on the envelope and on the catalog loader, and requests on the API, for SECONDS=600 each
	$(BIN)/python -m tests.fuzz envelope $(or $(SECONDS),600)
	$(BIN)/python -m tests.fuzz catalog $(or $(SECONDS),600)
	$(BIN)/python -m tests.fuzz.api $(or $(SECONDS),600)

up: $(VENV)/.local ## Run every function on the Pub/Sub and Firestore emulators, until Ctrl-C
	$(BIN)/upbeat up

cms: $(VENV)/cms/.installed ## Run the Wagtail site that edits the catalog, on 127.0.0.1:8800, until Ctrl-C
	CMS_DEBUG=true $(VENV)/cms/bin/python infra/cms/manage.py demo

zips: $(VENV)/.local ## Write the deployable zip of every function into infra/build
	$(BIN)/upbeat package

docs: $(VENV)/.dev ## Generate the documents of contracts, settings, commands and decisions, and Python's messages of the .proto files
	$(BIN)/python -m infra.generate
	$(BIN)/python -m infra.generate.protos

site: $(VENV)/.local $(VENV)/.docs ## Build the site of docs/ into site/, without the network; open site/index.html
	@# no --quiet: it hides warnings from --strict, too
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -f .ci/mkdocs.yml

api-release: $(VENV)/.dev ## Keep the API as it is now, for `make lint` to refuse what would break it; at each release of it
	$(BIN)/buf build $(API) --exclude-source-info -o $(API)/decisions.binpb

requirements: $(VENV)/.dev ## Pin and hash the dependencies that pyproject.toml names
	$(BIN)/uv pip compile -q $(COMPILED) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q $(COMPILED) pyproject.toml \
		--group local -o .ci/requirements-local.txt
	$(BIN)/uv pip compile -q $(COMPILED) pyproject.toml \
		--group grpc -c requirements.txt -o functions/decisions_grpc/requirements.txt
	$(BIN)/uv pip compile -q $(COMPILED) pyproject.toml \
		--group local --group test --group lint -o .ci/requirements-dev.txt
	$(BIN)/uv pip compile -q $(COMPILED) --group bench -c .ci/requirements-dev.txt -o .ci/requirements-bench.txt
	$(BIN)/uv pip compile -q $(COMPILED) --group mutants -c .ci/requirements-dev.txt -o .ci/requirements-mutants.txt
	$(BIN)/uv pip compile -q $(COMPILED) --group fuzz -c .ci/requirements-dev.txt -o .ci/requirements-fuzz.txt
	$(BIN)/uv pip compile -q $(COMPILED) --group analytics -c .ci/requirements-dev.txt -o .ci/requirements-analytics.txt
	$(BIN)/uv pip compile -q $(COMPILED) --group docs -c .ci/requirements-dev.txt -c .ci/requirements-analytics.txt \
		-o .ci/requirements-docs.txt
	$(BIN)/uv pip compile -q $(COMPILED) --group cms -c .ci/requirements-dev.txt -o .ci/requirements-cms.txt
	@# what folds and decides is what the functions run, but for protobuf, of which Beam wants an older version
	grep -E '^[a-z].*==' requirements.txt | grep -v '^protobuf=' | sed 's/ .*//' | \
		$(BIN)/uv pip compile -q $(COMPILED) --group beam -c /dev/stdin -o .ci/requirements-beam.txt

clean: ## Remove the virtual environment, caches and outputs
	rm -rf $(VENV) *.egg-info out build site infra/build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache mutants

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Upbeat needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# A complete list needs no resolving, in which pip finds no hash for a dependency with extras.
$(VENV)/.beam: .ci/requirements-beam.txt | $(BIN)/python
	$(PYTHON) -m venv $(VENV)/beam
	$(VENV)/beam/bin/python -m pip install -q --no-deps --require-hashes -r $<
	@touch $@

# The second step installs the command `upbeat`. It fetches nothing: its build backend is among the hashed requirements.
$(VENV)/.%: .ci/requirements-%.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --require-hashes -r $<
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

# Django and Wagtail, which share no process with anything else here.
$(VENV)/cms/.installed: .ci/requirements-cms.txt
	$(PYTHON) -m venv $(VENV)/cms
	$(VENV)/cms/bin/python -m pip install -q --require-hashes -r $<
	@touch $@
