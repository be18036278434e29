# Crinale: `make help` lists what can be made.
SHELL := /bin/bash
export CGO_ENABLED := 0
GO      ?= go
BIN     := bin/crinale
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The command line library's writer of manual pages stays out, and functions of
# these libraries are not copied into their callers: 2 MB less to carry up a mountain.
COMPACT := github.com/nats-io github.com/jackc github.com/influxdata google.golang.org/protobuf github.com/prometheus
BUILD   := -trimpath -tags urfave_cli_no_docs $(foreach lib,$(COMPACT),-gcflags=$(lib)/...=-l)
ARGS    ?=
PKG     ?= ./...
FUZZTIME ?= 5s

.PHONY: help build binary test race bench prove lint demo check docs assets test-deps fuzz clean

help: ## list the targets
	@awk 'BEGIN{FS=":.*## "} /^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

assets: ## web look from npm by lock file (skipped, and said, where npm is absent)
	@sh internal/web/assets.sh

build: assets binary ## the static binary bin/crinale

binary:
	$(GO) build $(BUILD) -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/crinale

demo: build ## the main job on embedded defaults; ARGS="--for 60s" ends it
	$(BIN) demo $(ARGS)

# Those of whole programs, browsers and demos come one after the other: beside
# others on two cores they starve, and radios that answer late look broken.
WHOLE := cmd/crinale demo carpool/page controller/page planning/page internal/web internal/web/browsertest internal/spine
ifeq ($(PKG),./...)
define run-tests
	@whole=$$($(GO) list $(WHOLE:%=./%)); failed=0; set -x; \
	$(GO) test $(1) -vet=off -count=1 $$($(GO) list ./... | grep -vxF "$$whole") || failed=1; \
	$(GO) test $(1) -vet=off -count=1 -p 1 $$whole || failed=1; \
	exit $$failed
endef
else
define run-tests
	$(GO) test $(1) -vet=off -count=1 $(PKG)
endef
endif

# The tests run without vet: `make lint` runs all of it, once.
test: assets ## all tests; those that need a real server are skipped with a loud line where it is absent
	$(call run-tests,-timeout 40m)

test-deps: ## install the real servers that tests use (Debian, as root)
	@bash .ci/test-deps

# Not under the race detector: other programs, and long sums of one goroutine.
NORACE := InABrowser|TestBinaryIsStatic|TestTutorial|SurviveAKill|TestGuessing$$|TestTheGeneratorMakesANetwork|TestRangeEqualsAPlainList|TestRealInflux|TestKilledAtEveryStep(BothEndsConfirmedByHand|OnPostgreSQL|OfARepair)
race: export CGO_ENABLED := 1
race: assets ## all tests under the race detector, but for those of other programs (needs gcc)
	$(call run-tests,-race -timeout 60m -skip '$(NORACE)')

bench: build ## print the table of benchmarks
	@bash .ci/bench

prove: ## every heavy proof with a small N (see docs/proofs.md)
	@bash .ci/prove

prove-%: ## one heavy proof: make prove-kill N=50 SEED=1
	@bash .ci/prove $*

fuzz: ## every fuzz target for FUZZTIME each
	@bash .ci/fuzz $(FUZZTIME)

lint: ## vet and staticcheck
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@test -z "$$(gofmt -l carpool cmd controller demo edge internal planning radio)" || { gofmt -l carpool cmd controller demo edge internal planning radio; echo "gofmt: format the files above"; exit 1; }

check: build ## wire everything on the default configuration, start nothing
	$(BIN) check

docs: build ## regenerate what is generated in docs/
	$(GO) test ./cmd/crinale -run 'TestReference' -update

clean: ## remove what was built
	rm -rf bin internal/web/assets/dist
