# The project's commands. `make help` lists them.
SHELL := /bin/sh
PYTHON := .venv/bin/python3
# Another FIPS module than the recipe's: every tool takes the snap that was built with it.
export PROVIDER :=
ORIGIN :=
.DEFAULT_GOAL := help
# Each target uses all processors itself, and one build at a time has the work folder.
.NOTPARALLEL:
.PHONY: help setup virtual snap providers demo test check supplies spread web campaign boundary suites lint bench reproduce bare evidence release-check requirements clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: .venv/all ## install what the other targets need (they do it themselves)
.venv/all .venv/build: .venv/%: tools/setup tools/requirements.txt tools/schema.txt
	@tools/setup $*

virtual: setup ## install what tmt makes virtual machines with, for WHERE=centos-stream-9 (on Ubuntu 24.04, with /dev/kvm)
	@tools/setup virtual

snap: .venv/build ## build the snap into dist/ (PROVIDER=3.0.8, 3.5.4 or in-tree: with another FIPS module, into a folder of its own there; ORIGIN=tarball or crate: from there alone)
	@$(PYTHON) -m tools.build --provider "$(PROVIDER)" --origin "$(ORIGIN)"

providers: provider-3.0.8 provider-3.5.4 ## build the snaps with other FIPS modules
# Where the sources of one are unavailable (exit status 69), the tests of it are skipped.
provider-%: setup
	@$(PYTHON) -m tools.build --provider $* || [ $$? = 69 ]

demo: snap ## build the snap and get a certificate with it on a FIPS-flagged host
	@$(PYTHON) -m tools.demo

# The modules that the tests which hang on the module are run with besides the one that all tests are run with.
OTHERS := $(if $(PROVIDER),,3.5.4)
test: setup lint snap $(OTHERS:%=provider-%) ## run the tests on the packed snap
	@$(PYTHON) -m tools.hosts prepare
	@$(PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(OTHERS:%=--provider %) tests

check: lint ## run what needs no snap: style, types, rules, recipe
	@$(PYTHON) -m pytest tests/unit tests/recipe

supplies: setup ## make what spread's tasks need besides the snap, into dist/supplies (`spread` does it itself)
	@$(PYTHON) -m tools.spread.supplies

spread: supplies ## run spread's tasks on one system (WHERE=debian-12-fips; see `python3 -m tools.hosts list`; GUEST=address: of a machine elsewhere)
ifneq ($(shell command -v spread),)
	@spread $(if $(findstring :,$(WHERE)),$(WHERE),adhoc:$(WHERE))
else
	@$(MAKE) --no-print-directory snap
	@$(PYTHON) -m tools.spread $(WHERE)
endif

web: snap ## run spread's tasks that `make test` leaves out: web servers and hooks without the flag, a stand-in for RHEL
	@$(PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m rest tests/spread

campaign: snap ## run 10,000 broken, hostile and odd cases against the packed snap (about 12 minutes)
	@$(PYTHON) -m tools.campaign

boundary: snap ## measure where every operation is computed, and write docs/boundary.md (about 3 minutes)
	@$(PYTHON) -m tools.boundary

suites: snap $(OTHERS:%=provider-%) ## run other people's test suites in the snap's Python, flagged and not, with both modules (half an hour)
	@$(PYTHON) -m tools.suites $(OTHERS:%=--provider %)

lint: setup ## check style, types and scripts
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@$(PYTHON) -m tools.lint.shell

bench: snap ## measure ratios against Certbot from PyPI and the distribution's OpenSSL (REFERENCE=FILE: and cold starts against another snap)
	@$(PYTHON) -m tools.bench $(if $(REFERENCE),--reference "$(REFERENCE)")

reproduce: setup ## build the commit twice, where all differs that may, and compare (half an hour)
	@$(PYTHON) -m tools.build.reproduce

bare: setup ## run README's first command on a machine that has nothing (WHERE=debian-12 or debian-13)
	@$(PYTHON) -m tools.bare "$(WHERE)"

evidence: snap ## look at the snap on a FIPS host, run spread's tasks there, and sign what was seen, into dist/evidence (WHERE=debian-12-fips; RUN=campaign: of a long run)
	@$(PYTHON) -m tools.release evidence $(WHERE) $(if $(RUN),--run $(RUN))

release-check: snap ## see the snap on a FIPS host, unless that was done; say for each channel whether it may go there; write the page
	@$(PYTHON) -m tools.release evidence --once debian-12-fips
	@for channel in edge beta candidate stable; do \
		$(PYTHON) -m tools.release decide --short --to $$channel --trial build/keys/trial.pub || [ $$? = 1 ] || exit 2; done
	@$(PYTHON) -m tools.release page --trial build/keys/trial.pub

requirements: ## pin the Python packages anew (needs uv)
	@tools/lock tools/build/requirements.in tools/build/requirements.txt 3.11
	@tools/lock parts/certbot-pins/runtime.in parts/certbot-pins/runtime.txt 3.13 --emit-build-options \
		--no-emit-package cryptography --constraints parts/certbot-pins/cryptography.txt
	@$(PYTHON) -m tools.build.packages parts/certbot-pins/runtime.txt 3.13
	@tools/lock tools/requirements.in tools/requirements.txt 3.11 --constraints tools/build/requirements.txt
	@tools/lock tools/virtual.in tools/virtual.txt 3.11 --constraints tools/requirements.txt
	@tools/lock tests/snap/moto.in tests/snap/moto.txt 3.11
	@tools/lock tools/bench/requirements.in tools/bench/requirements.txt 3.11
	@for name in certbot-2.11 certbot-5.8 proxy; do tools/lock tests/moves/$$name.in tests/moves/$$name.txt 3.11 || exit; done
	@tools/lock tools/suites/sdists.in tools/suites/sdists.txt 3.13 --emit-build-options --no-deps
	@$(PYTHON) -m tools.build.packages tools/suites/sdists.txt 3.13
	@tools/lock tests/release/attestations.in tests/release/attestations.txt 3.13 --emit-build-options --no-deps
	@$(PYTHON) -m tools.build.packages tests/release/attestations.txt 3.13
	@tools/lock tools/suites/needs.in tools/suites/needs.txt 3.13 $$(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' \
		parts/certbot-pins/runtime.txt parts/certbot-pins/cryptography.txt)

clean: ## remove what was built and set up
	rm -rf build dist .venv
