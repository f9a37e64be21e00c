# Thin names for what the engine, buildx and go do. `make run` and `make test`
# need root and Go, nothing else: integration/engine installs and starts the rest.
ENGINE := go -C integration run ./cmd/engine
LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(shell sed -n 's/^ARG GOLANGCI_LINT_VERSION=//p' Dockerfile)

FUZZTIME := 10m
SOAK := 1h

VULN := golang.org/x/vuln/cmd/govulncheck@$(shell sed -n 's/^ARG GOVULNCHECK_VERSION=//p' Dockerfile)

.PHONY: run test unit integration bench bench-image bench-quick soak soak-fuzz soak-load lint vulnerabilities generate up down purge

# From nothing to two running images.
run:
	$(ENGINE) demo

# All tests. KEEP=1 leaves the engine running.
test: unit integration

unit:
	go vet ./...
	go test ./...

integration:
	go -C integration vet ./...
	$(ENGINE) test

# What a further base and five hundred cost, in less than an hour on a machine with
# nothing else to do: sections of docs/benchmarks.md and docs/scaling.md.
bench:
	go -C integration run ./scale -docs
	go -C integration run ./scaling
	go test -run='^$$' -bench=. ./frontend/cmd/oh-seal
	$(ENGINE) down

# What the whole image costs, in a quarter of an hour. It empties the daemon's cache.
bench-image:
	go -C integration run ./bench -docs -changes=false -starts 1
	$(ENGINE) down

# What a further image costs by each way, on a daemon of its own.
bench-quick:
	go -C integration run ./scale -quick

# The long runs, hours, with their figures in docs/reliability.md.
soak: soak-fuzz soak-load

# Every fuzz target for FUZZTIME.
soak-fuzz:
	go -C integration run ./cmd/fuzz -docs -time $(FUZZTIME)

# Mixed builds, 16 at once, for as long as SOAK says.
soak-load:
	go -C integration run ./soak -for $(SOAK) -docs
	$(ENGINE) down

lint:
	$(LINT) config verify
	$(LINT) run
	cd integration && $(LINT) run --config ../.golangci.yml

# Known vulnerabilities of code that the programs call.
vulnerabilities:
	.ci/vulnerabilities $(VULN)

generate:
	go generate ./...

up:
	$(ENGINE) up

down:
	$(ENGINE) down

purge:
	$(ENGINE) down --purge
