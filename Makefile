# A thin front for people; CMake does the work. `make help` lists the targets.

PRESET ?= dev
JOBS   ?= $(shell nproc)

.PHONY: all build demo test lab-test asan tsan fuzz bench check install clean help

all: build

build: ## build/release/mtc
	@tools/setup
	@cmake --preset release >/dev/null
	@cmake --build build/release --target mtc -j $(JOBS)
	@ln -sfn src/app/mtc build/release/mtc

demo: build ## migrate an application between two embedded clusters, before your eyes
	@build/release/mtc demo

test: ## every test that needs no other machine: units, conformance, the built program
	@tools/setup
	@cmake --preset $(PRESET) >/dev/null
	@cmake --build build/$(PRESET) -j $(JOBS)
	@tools/check
	@ctest --preset $(PRESET) -j $(JOBS)

lab-test: build ## the same program against real Kubernetes (root; builds its clusters from source the first time)
	@tools/setup --lab
	@tests/lab/run

asan tsan: ## the unit tests with a sanitizer: addresses, leaks and undefined behaviour; threads
	@tools/setup
	@tools/sanitize $@

fuzz: ## every fuzzer for SECONDS=10; ONLY=name for those of that name
	@tools/setup
	@tools/fuzz --seconds $(or $(SECONDS),10) $(ONLY)

bench: build ## measure, Velero beside it (compiled the first time): a table and build/bench.json; ONLY=name for one
	@tools/setup --bench
	@tests/bench/run $(ONLY)

check: ## format, tidy, layers, sizes, shell, spelling, generated files
	@tools/setup
	@tools/check

install: build ## PREFIX=/usr/local
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

clean: ## remove build/
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
