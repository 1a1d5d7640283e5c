# Everything a person or a machine does with Jiesu. `run` and `test` do all the set-up they need.
.DEFAULT_GOAL := help
.PHONY: help run demo test check check-style check-types check-imports check-city bench chaos evaluate up down lock \
	bench-clocks setup-run setup-dev media
python := .venv/bin/python

# Settings may stand in .env (see .env.example).
ifneq (,$(wildcard .env))
include .env
export
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup-run:
	@scripts/setup.sh run

setup-dev:
	@scripts/setup.sh dev

media: ## install what reads pictures and speech (see JIESU_SPEECH_MODEL)
	@scripts/setup.sh media

run: setup-run ## the whole platform in one process, on http://127.0.0.1:8000 (JIESU_PORT)
	@$(python) -m services.cli run

demo: setup-run ## a platform with a living city on it: citizens, units and a centre, simulated
	@$(python) -m services.cli demo

up: setup-run ## five processes with a local Apache Kafka (KAFKA_BOOTSTRAP names another)
	@$(python) -m services.cli up

down: setup-run ## stop what `make up` started
	@$(python) -m services.cli down

test: setup-dev ## every test but chaos and bench
	@$(python) -m pytest tests -q -n logical --maxprocesses 4

check: check-style check-types check-imports check-city ## style, types, import directions, city packs

check-style: setup-dev
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .

check-types: setup-dev
	@$(python) -m mypy

check-imports: setup-dev
	@.venv/bin/lint-imports --no-logo

check-city: setup-dev
	@for pack in deploy/cities/*/; do $(python) -m libs.common.city "$${pack%/}" \
		&& $(python) -m services.classify.knowledge "$${pack%/}" || exit 1; done

bench: setup-dev ## measure throughput and latency; prints the settings beside the numbers
	@$(python) -m tests.bench

bench-clocks: setup-dev ## how late marks take effect among a million running clocks
	@$(python) -m tests.bench.clocks

chaos: setup-dev ## random faults under load; JIESU_CHAOS_SEED repeats a run
	@$(python) -m pytest tests/chaos -q -s

evaluate: setup-dev ## how well appeals are understood and repeats are joined, on held-out data
	@$(python) -m tests.bench.classify_quality
	@$(python) -m tests.bench.repeats_quality

# The newest versions that pyproject.toml allows. Two files, because an installer can check hashes for a whole
# file only: `requirements.lock` is what running needs, the other adds what development needs.
compile := .venv/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --fork-strategy fewest \
	--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links
lock: setup-dev ## renew both locks from pyproject.toml
	@$(compile) -o requirements.lock
	@$(compile) --group dev -c requirements.lock -o requirements-dev.lock
	@$(compile) --group media -c requirements-dev.lock -o requirements-media.lock
