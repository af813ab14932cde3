# Everything happens in .venv, from hash-locked versions (.ci/locked*.txt). Needs Python 3.11 to 3.13, git and make.

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
PACKAGES := . $(wildcard plugins/pmed-*)
PROJECTS := pyproject.toml $(wildcard plugins/pmed-*/pyproject.toml)
OWN := $(PIP) install --quiet --no-deps --no-build-isolation $(PACKAGES:%=-e %)

FUZZ := tests/test_vcf_random.py

.PHONY: help demo test fuzz polars lint bench survey rows lab messages schemas lock clean spark everybody docs pages

help:   ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /make \1  /p' Makefile | awk '{ printf "%s %-8s", $$1, $$2; $$1 = $$2 = ""; print }'

demo: $(VENV)/run   ## embedded patients to reports in out/demo
	@rm -rf out/demo
	@$(VENV)/bin/pmed demo -o out/demo
	@echo "reports: $(CURDIR)/out/demo"

test: $(VENV)/dev   ## all tests (those on real data are skipped where it is absent)
	$(VENV)/bin/python -m pytest -q -n auto --dist worksteal --ignore=$(FUZZ)

# In a process of its own: hypothesis also draws from the constants of all loaded modules, so that what it tries would
# depend on the other tests.
fuzz: $(VENV)/dev   ## random genomes of every shape against a slow reader
	$(VENV)/bin/python -m pytest -q $(FUZZ)

spark: $(VENV)/spark   ## pmed cohort on Spark against the local engine (needs Java 17 or 21: .ci/java)
	$(VENV)/bin/python -m pytest -q tests/test_cohort_spark.py tests/test_cohort_away.py

everybody: $(VENV)/spark   ## the same with all people of the 1000 Genomes files in ../shared (minutes)
	$(VENV)/bin/python -m pytest -q tests/everybody_on_spark.py

polars: $(VENV)/dev   ## plugins and core with the oldest and the newest polars that pmed supports
	.ci/polars $(VENV)/bin/python

lint: $(VENV)/dev   ## ruff and mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

bench: $(VENV)/dev   ## speed and memory against peers in the same run; BENCH='--only index --rounds 3'
	$(VENV)/bin/python -m benchmarks.run $(BENCH)

survey: $(VENV)/dev   ## 40 records with 40 genomes each, and what was found; SURVEY='--pairs 80'
	$(VENV)/bin/python -m benchmarks.survey $(SURVEY)

rows: $(VENV)/dev   ## take away each row of knowledge that the vignettes use: which loss does nobody notice? (minutes)
	$(VENV)/bin/python -m tests.vignette_mutations

lab: $(VENV)/dev   ## JupyterLab with the notebooks, in a fresh working copy under out/
	@mkdir -p out
	cd out && ../$(VENV)/bin/pmed lab

messages: $(VENV)/run   ## extract the report's texts into pmed/render/locale, and compile the translations
	$(VENV)/bin/python .ci/messages

docs: $(VENV)/dev   ## the documents as pages in build/docs
	@$(VENV)/bin/python -c 'import material' 2>/dev/null || { echo "make docs needs mkdocs-material in $(VENV)"; exit 1; }
	$(VENV)/bin/python -m mkdocs build --strict  # not --quiet: that also hides warnings from --strict

pages: $(VENV)/dev   ## rewrite what is made from the code: docs/reference, the list of the public API
	$(VENV)/bin/python -m tests.reference
	$(VENV)/bin/python -m tests.api

schemas: $(VENV)/run   ## rewrite schemas/ from the code
	$(VENV)/bin/pmed schema -o schemas

lock:   ## newest allowed versions into .ci/locked*.txt
	.ci/lock

clean:   ## remove what the other targets made
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@python=$$(.ci/python) && { $$python -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }

$(VENV)/run: .ci/locked.txt $(PROJECTS) | $(VENV)/bin/python
	@echo "setting up $(VENV)"
	@$(PIP) install --quiet --require-hashes -r .ci/locked.txt
	@$(OWN)
	@touch $@

$(VENV)/dev: .ci/locked-dev.txt $(PROJECTS) | $(VENV)/bin/python
	@echo "setting up $(VENV) with development tools"
	@$(PIP) install --quiet --require-hashes -r .ci/locked-dev.txt
	@$(OWN)
	@touch $(VENV)/run $@

# On top of the development tools, whose versions it keeps.
$(VENV)/spark: .ci/locked-spark.txt $(VENV)/dev
	@echo "setting up Spark in $(VENV)"
	@$(PIP) install --quiet --require-hashes -r .ci/locked-spark.txt
	@touch $@
