# Every target installs what it needs first; `make` alone lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# npm puts node_modules/.bin first on PATH: everything below runs on the project's own Node.
RUN := npm run --silent

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z%*-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install packages, when the lock file has changed
	@node scripts/setup.mjs 2>&1

.PHONY: demo
demo: setup ## Start everything and run examples/02-customer-support with the live view
	@$(RUN) demo

.PHONY: dev
dev: setup ## Run all services in one process with an embedded Postgres
	@$(RUN) dev

.PHONY: test
test: setup ## Run every check and every test; ONLY=libs/journal runs the tests there
	@$(RUN) test -- $(ONLY) 2>&1

.PHONY: check-fast
check-fast: setup ## Types, lint, format, unit and architecture tests: under two minutes
	@$(RUN) test -- --level fast

.PHONY: check
check: setup ## check-fast, unused code, protos and generated code
	@$(RUN) test -- --level check

.PHONY: format
format: setup ## Format all sources
	@$(RUN) format

.PHONY: generate
generate: setup ## Generate libs/proto from proto/
	@$(RUN) generate

.PHONY: bench
bench: setup ## Run every benchmark; `make bench-journal` runs one
	@$(RUN) bench

.PHONY: bench-%
bench-%: setup
	@$(RUN) bench -- $*

.PHONY: clean
clean: ## Remove what can be made again; .heddle/ (your data) stays
	@rm -rf node_modules .test-results coverage dist .cache
