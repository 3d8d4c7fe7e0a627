SHELL := /bin/bash
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1
ROLES := base postgres nginx rest auth meta isolated project controller local_host

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-stop lint fmt test test-all test-role unit integration bench vendor screenshots docs clean

help: ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/.ready ## Install what Berth needs into .venv, and the tools of this machine

.venv/.ready: pyproject.toml constraints.txt tools/setup
	tools/setup
	@touch $@

demo: setup ## Make two local hosts with projects, serve the web UI, print how to reach them: make demo UI_PORT=8081
	@python tools/demo.py

demo-stop: setup ## Stop the web UI of the demo and remove its hosts with all that belongs to them
	@python tools/demo_ui.py stop
	@ansible-playbook -i inventory/local playbooks/local_hosts.yml -e local_host_state=absent

# In ~/.ansible there may be another checkout's copy of the collection, which ansible-lint would take for this one
lint: export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
lint: setup ## Check style: ruff, yamllint, ansible-lint (production), generated texts
	ruff check .
	ruff format --check .
	yamllint --strict .
	ansible-lint --offline --strict
	python tools/role_readmes.py --check

fmt: setup ## Format the Python code
	ruff check --fix .
	ruff format .

test: setup ## Run all that CI runs: lint, contract, unit, templates, Molecule, integration, clients, browser
	@tools/test

test-all: setup ## Run the tests of `make test` and the slow ones
	@tools/test --all

unit: setup ## Run the tests that need no host: contract, unit, templates
	pytest tests/contract tests/unit tests/templates

integration: setup ## Run the tests on local hosts: integration, clients, browser
	pytest tests/integration tests/clients tests/browser

test-role: setup ## Run the Molecule scenarios of one role: make test-role ROLE=nginx
	@test -n "$(ROLE)" || { echo "Name a role: make test-role ROLE=nginx (one of: $(ROLES))"; exit 2; }
	tools/molecule $(ROLE) --all

bench: setup ## Measure on a fresh local host, print the table, keep it in docs/benchmarks.md: make bench ARGS="--only wake"
	@python tools/bench.py $(ARGS)

vendor: setup ## Copy the libraries that the UI gives to browsers anew from their npm packages
	@tools/vendor

screenshots: setup ## Take the pictures of the UI in docs/images anew, from the hosts of the demo
	@python tools/screenshots.py

docs: setup ## Make the generated texts anew: README of each role
	python tools/role_readmes.py
