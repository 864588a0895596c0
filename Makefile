# Build, test and run the avatar pipeline. `make` alone says what there is.

SWIFT     ?= swift
BUILD      = $(SWIFT) build -c release
BIN       ?= .build/release
PREFIX    ?= /usr/local
SHARE      = $(DESTDIR)$(PREFIX)/share
FUZZ_RUNS ?= 1000000

TOOLS = encode-text encode-audio encode-vae denoise-latents decode-vae mux-video check-device \
        bench-stages prepare-weights plan-run inspect-tensors

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

help: ## Say what there is
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

deps: ## Install the Debian packages that are missing
	@Tests/check-deps --install

build: deps ## Build the tools
	$(BUILD)

# The tools see to it themselves that threads do not spin; the test runner does not.
test bench: export GOMP_SPINCOUNT ?= 0

# Where the tests find NVIDIA's compiler.
test: export CUDA_LIBRARY_PATH ?= $(CURDIR)/.build/nvrtc

test: deps ## Run all tests
	@Tests/fetch-nvrtc || echo 'make: kernels are not compiled in this run' >&2
	$(SWIFT) test -c release --disable-xctest
	Tests/pipelines-test $(BIN)
	Tests/soak-test $(BIN)

demo: build ## Make a short film of a drawn face that says what espeak-ng speaks
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BIN=$(BIN)

check: deps ## Check format, imports between rooms, and wording
	@mkdir -p .build
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	$(SWIFT) package describe --type json > .build/package.json
	$(BUILD) --product ProjectCheck
	$(BIN)/ProjectCheck .build/package.json

format: ## Format the sources in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

bench: build ## Time files, single operations and models (some compare with PyTorch)
	$(BIN)/bench-files
	$(BIN)/bench-operations
	$(BIN)/bench-denoiser
	$(BIN)/bench-denoiser --bfloat16
	$(BIN)/bench-vae
	$(BIN)/bench-vae --bfloat16

fuzz: build ## Feed the readers FUZZ_RUNS damaged files (1000000)
	$(BIN)/fuzz-readers $(FUZZ_RUNS)

install: build ## Install tools, completions and pipelines under PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(addprefix $(SHARE)/,bash-completion/completions zsh/site-functions \
	    fish/vendor_completions.d)
	for tool in $(TOOLS); do \
	    install -m 755 $(BIN)/$$tool $(DESTDIR)$(PREFIX)/bin && \
	    $(BIN)/$$tool --generate-completion-script bash > $(SHARE)/bash-completion/completions/$$tool && \
	    $(BIN)/$$tool --generate-completion-script zsh > $(SHARE)/zsh/site-functions/_$$tool && \
	    $(BIN)/$$tool --generate-completion-script fish > $(SHARE)/fish/vendor_completions.d/$$tool.fish || exit 1; \
	done
	install -d $(SHARE)/avatar-pipeline/pipelines/profiles
	install -m 644 $(filter-out %/demo.mk,$(wildcard pipelines/*.mk)) pipelines/help.txt pipelines/README.md \
	    $(SHARE)/avatar-pipeline/pipelines
	install -m 755 pipelines/open-work pipelines/run-together $(SHARE)/avatar-pipeline/pipelines
	install -m 644 pipelines/profiles/*.mk $(SHARE)/avatar-pipeline/pipelines/profiles

clean: ## Remove what was built
	rm -rf .build build

.PHONY: help deps build test check format demo bench fuzz install clean
