# Build, test and run the avatar pipeline. `make` alone says what there is.

SWIFT     ?= swift
BUILD      = $(SWIFT) build -c release
BIN       ?= .build/release
PREFIX    ?= /usr/local
FUZZ_RUNS ?= 1000000

TOOLS = encode-text encode-audio encode-vae denoise-latents decode-vae mux-video check-device \
        inspect-tensors

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

test: deps ## Run all tests
	$(SWIFT) test -c release --disable-xctest

check: deps ## Check format, imports between rooms, and wording
	@mkdir -p .build
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	$(SWIFT) package describe --type json > .build/package.json
	$(BUILD) --product ProjectCheck
	$(BIN)/ProjectCheck .build/package.json

format: ## Format the sources in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

# A talking head in the time of a coffee: a drawn face, a synthetic voice, and the small model of pipelines/mini-avatar.
DEMO        = build/demo
DEMO_PROMPT = A smiling person, talking.
DEMO_SPEECH = Hello. I am a very small avatar. A text, a picture and a voice are all I am made of.

demo: build ## Make a talking head of a drawn face and a synthetic voice
	@mkdir -p $(DEMO)
	@test -s $(DEMO)/voice.wav || espeak-ng -v en -w $(DEMO)/voice.wav '$(DEMO_SPEECH)'
	@$(MAKE) --no-print-directory -f pipelines/avatar.mk WEIGHTS=pipelines/mini-avatar/weights \
	    IMAGE=pipelines/mini-avatar/faces/glasses.png VOICE=$(DEMO)/voice.wav PROMPT='$(DEMO_PROMPT)' \
	    SIZE=128x128 OUT=$(DEMO)/avatar.mp4
	@grep -h '"seconds"' $(DEMO)/avatar.mp4.work/logs/*.metrics.jsonl | \
	    sed 's/.*"seconds":\([0-9.e-]*\).*"stage":"\([a-z-]*\)".*/\2 \1/' | \
	    awk '{ total[$$1] += $$2 } END { for (stage in total) printf "%-16s %6.1f s\n", stage, total[stage] }' | sort
	@echo 'The film: $(CURDIR)/$(DEMO)/avatar.mp4'

bench: build ## Time files, single operations and models (some compare with PyTorch)
	$(BIN)/bench-files
	$(BIN)/bench-operations

fuzz: build ## Feed the readers FUZZ_RUNS damaged files (1000000)
	$(BIN)/fuzz-readers $(FUZZ_RUNS)

install: build ## Install tools and completions under PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	for tool in $(TOOLS); do \
	    install -m 755 $(BIN)/$$tool $(DESTDIR)$(PREFIX)/bin && \
	    $(BIN)/$$tool --generate-completion-script bash \
	        > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$tool || exit 1; \
	done

clean: ## Remove what was built
	rm -rf .build build

.PHONY: help deps build test check format demo bench fuzz install clean
