# Every target installs what it needs first; `make` alone lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export KUBECONFIG POSTGRES_URL POSTGRES_HOST_IN_CLUSTER KAFKA_BROKERS LOAD_IMAGES IMAGE_REPOSITORY KAFKA_REPLICATION_FACTOR
# npm puts node_modules/.bin first on PATH: everything below runs on the project's own Node.
RUN := npm run --silent

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z%*-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install packages, when the lock file has changed
	@node scripts/setup.mjs 2>&1

.PHONY: demo
demo: setup ## Run examples/02-customer-support with the live view; URL=http://127.0.0.1:7233 every example, there
	@$(if $(URL),$(RUN) demo-at -- $(URL),$(RUN) demo)

.PHONY: dev
dev: setup ## Run all services in one process with an embedded Postgres
	@$(RUN) dev

.PHONY: up
up: setup ## Run every service as a process, with Postgres and Kafka; REPLICAS=2 doubles what shares its work
	@HEDDLE_REPLICAS=$(REPLICAS) $(RUN) up

.PHONY: down
down: setup ## End what `make up` has started; data and logs stay
	@$(RUN) down

.PHONY: logs
logs: ## Follow the logs of `make up`; SERVICE=execution those of one service
	@tail -n 20 -F $${HEDDLE_DATA_DIR:-.heddle}/up/logs/$(SERVICE)*.log

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

.PHONY: properties
properties: setup ## Random definitions with random histories against all properties; RUNS=100000 SEED=7
	@$(RUN) properties -- $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED))

.PHONY: chaos
chaos: setup ## Faults of all kinds on real processes; SEED=7 MINUTES=4 EXECUTIONS=2000 FAULTS=32
	@$(RUN) chaos -- $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
	  $(if $(EXECUTIONS),--executions $(EXECUTIONS)) $(if $(FAULTS),--faults $(FAULTS))

.PHONY: chaos-%
chaos-%: setup ## One kind of fault at full size: chaos-postgres, chaos-kafka, chaos-recovery
	@$(RUN) chaos-run -- $* $(if $(SEED),--seed $(SEED))

.PHONY: test-cluster
test-cluster: setup ## The chart on a real cluster: KUBECONFIG=… POSTGRES_URL=… KAFKA_BROKERS=…; see test/cluster
	@$(RUN) test-cluster -- $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(if $(TLS),--tls $(TLS))

.PHONY: clean
clean: ## Remove what can be made again; .heddle/ (your data) stays
	@rm -rf node_modules .test-results coverage dist .cache
