# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-down test quick schema lint types units coverage sanity editor integration stories molecule docs build alone matrix bench pin clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / {n = split($$1, names, " "); for (i = 1; i <= n; i++) \
	printf "make %-12s %s\n", names[i], $$2}' $(MAKEFILE_LIST)

setup:  ## make .cache/venv and what else the tools need; when all is there, nothing
	@tools/setup

demo: setup  ## boot a SAN of small hosts on this machine and converge it (needs root)
	@tools/demo

demo-down: setup  ## take the demo's hosts down
	@tools/demo down

test:  ## everything: linters, docs, unit tests, ansible-test, and the tests on booted hosts
	@tools/check

quick: setup  ## the contributor's loop, seconds: ruff, types and unit tests
	@.cache/venv/bin/ruff check --quiet . && .cache/venv/bin/ruff format --check --quiet .
	@tools/check types
	@.cache/venv/bin/pytest -q tests/unit

schema: setup  ## make meta/inventory.schema.json again, after a change of a role's options
	@.cache/venv/bin/python tools/schema

# The parts of 'make test':
lint:  ## ruff, yamllint, shellcheck, ansible-lint, the changelog's fragments
types:  ## mypy, strict
units:  ## unit tests
coverage:  ## which lines of plugins the unit tests run
sanity:  ## ansible-test sanity, newest ansible-core
editor:  ## an inventory as an editor shows it (yaml-language-server, by npm)
docs:  ## check the documentation and build the site: .cache/docs/build/html/index.html
build:  ## build the collection, install it, verify it, ask ansible-doc for every module and role
alone:  ## run the collection with nothing but galaxy.yml, meta, plugins, roles and playbooks
molecule:  ## stories on booted hosts
lint types units coverage sanity editor docs build alone molecule:
	@tools/check $@
integration: setup  ## every module on booted hosts of all suites
	@.cache/venv/bin/pytest -q tests/integration
stories: setup  ## the long ones: 10,000 documents of others; power and cables cut at every step of a move; storms (hours)
	@LUNWORKS_DOCUMENTS=10000 .cache/venv/bin/pytest -q tests/unit -k foreign
	@.cache/venv/bin/pytest -q tests/integration/test_move*.py tests/integration/test_killed.py --every-step
	@LUNWORKS_STORM_SECONDS=1200 .cache/venv/bin/pytest -q tests/integration/test_storm.py

matrix:  ## before a release: every supported ansible-core, more Python, hosts and kernels, and Galaxy's own import check
	@tools/check $(foreach core,2.16 2.17 2.18 2.19 2.20 2.21,sanity-$(core) units-$(core)) \
	sanity-devel units-all coverage importer forky-whole own-kernel

bench: setup  ## measure beside today's modules (see bench/README.md)
	@for file in bench/*.py; do PATH="$(CURDIR)/.cache/venv/bin:$$PATH" PYTHONPATH=.cache/collections \
	python -m bench.$$(basename $$file .py) || exit 1; done

pin: setup  ## resolve requirements/dev.in again into requirements/dev.txt
	@{ echo "# Made by 'make pin' from dev.in; for Python 3.11 and newer."; \
	.cache/venv/bin/uv pip compile -q --universal --python-version 3.11 --upgrade --no-header --no-annotate \
	requirements/dev.in; } >.cache/dev.txt && mv .cache/dev.txt requirements/dev.txt

clean:  ## remove all that the tools made, the images of labs too
	@labs=$$(ls /var/tmp/lunworks-lab 2>/dev/null); [ -z "$$labs" ] || \
	{ echo "Labs stand on the images: tools/lab --lab NAME down, for each of" $$labs >&2; exit 1; }
	rm -rf .cache .ansible "$${XDG_CACHE_HOME:-$$HOME/.cache}/lunworks-iscsi"
