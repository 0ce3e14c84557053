# make test is the test command. On a fresh Debian machine with Go it installs what it needs first, and only what is missing.

GO      ?= go
PKGS    ?= ./...
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
SECONDS_EACH ?= 20s

.PHONY: test build deps vet lint demo fuzz bench bench-micro faults sim clean

test: deps vet lint ## install what is missing, vet, lint, and run every test with the race detector
	$(GO) test -race -timeout 14m $(PKGS)

build: ## bin/gatehouse and bin/gatehouse-demo
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/gatehouse ./cmd/gatehouse-demo

deps: ## a real Redis, a real browser and real web servers; an error where they cannot be had
	@./test/deps.sh

vet:
	$(GO) vet $(PKGS)
	$(GO) vet -tags faults ./test
	@files=$$(gofmt -l cmd config proxy routing shed test); if [ -n "$$files" ]; then echo "not gofmt'ed: $$files"; exit 1; fi

lint:
	$(GO) tool staticcheck $(PKGS)

demo: ## the whole scene by itself, with its table
	$(GO) run ./cmd/gatehouse-demo -script

fuzz: ## every fuzz target for SECONDS_EACH
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(SECONDS_EACH) $$pkg; \
		done; done

bench: ## against nginx, HAProxy and other proxies that are here: one table, and the profile; four and a half minutes, Linux
	@./test/deps.sh peers
	$(GO) run ./test/bench

bench-micro: ## Go benchmarks in benchstat's form
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

faults: ## break a real session store in every way, with and without the protection, and print one table
	$(GO) test -count=1 -timeout 30m -tags faults -run '^(TestFaults.*|TestASentinelFailoverLosesNoSignIns)$$' -v ./test

sim: ## simulate overload, the recovery herd and the metastable case on the real code, print the figures and draw them
	$(GO) test -count=1 -v -run '^Test(Overload|Adaptive|Herd|Metastable|ARampBeyondThePool)$$' ./test/sim -draw .

clean:
	rm -rf bin
