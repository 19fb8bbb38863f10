# Tools go below .venv/, what would be deployed below .aws-sam/; `make clean` removes both.

PYTHON ?= python3
# The oldest that works, the ones that each change is tested on, and the functions' own.
OLDEST := 3.11
TESTED := 3.11 3.13
LAMBDA := 3.13

DEV := .venv/dev/.installed
# What is deployed first: it constrains the rest.
LOCKED := src/requirements src/worker/requirements \
  $(addprefix requirements/,dev sam aws checkov uv)

# For `make up` and `make demo`, on make's command line: make up PORT=4600 TIME_SCALE=10
# FOLDER is where `make up` leaves its note, if not in .local; TEMPLATE what it runs.
PORT =
TEMPLATE =
TIME_SCALE =
FOLDER =
LOAD =
NOTED = $(if $(FOLDER),--folder '$(FOLDER)')
OTHER = $(if $(TEMPLATE),--template '$(TEMPLATE)')
SCALED = $(if $(TIME_SCALE),--time-scale '$(TIME_SCALE)')

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Hundreds of processes start here: none is to compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE
# Parts that run side by side each print in one piece, where make can do that (4.0 and newer).
TOGETHER := -j3 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

title = @printf '\n\033[1m%s\033[0m\n' "$(1)"
python = $$($(is_installed) && echo $(OWN_PYTHON) || echo $(PYTHON))
find_python = $(python) scripts/find_python.py
# Once it is there it runs what is the project's own, whatever PYTHON is by then.
OWN_PYTHON := .venv/dev/bin/python
is_installed = test -x $(OWN_PYTHON)

# ---------------------------------------------------------------- targets

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s%s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(DEV) ## Run every flow on this machine and show how each task ended; or many: LOAD=200
	@.venv/dev/bin/python -m local.demo$(if $(LOAD), --load '$(LOAD)') $(SCALED) $(OTHER)

.PHONY: up
up: $(DEV) ## Keep the local system running and say how to use it: PORT=4500 TIME_SCALE=1
	@.venv/dev/bin/python -m local.up $(if $(PORT),--port '$(PORT)') $(SCALED) $(NOTED) $(OTHER)

.PHONY: down
down: ## Stop it, and every process that it started
	@if $(is_installed); then $(OWN_PYTHON) -m local.up --down $(NOTED); \
	else echo 'No local system is up: nothing is installed here.'; fi

.PHONY: env
env: ## Print what a shell has to export to use it
	@if ! $(is_installed); then \
	  echo 'No local system is up, so nothing is exported: nothing is installed here.' \
	    'To start one: make up' >&2; \
	elif printed=$$($(OWN_PYTHON) -m local.up --env $(NOTED)); then \
	  printf '%s\n' "$$printed"; exit; \
	fi; echo false; exit 1

# For `make faults`: one scenario, as a violation names it and tests/faults/scenario.py reads it; for
# `make mutate`: words of a name.
ONLY =

.PHONY: faults
faults: $(DEV) ## Let everything go wrong at every call, in some 3,600 scenarios
	@PYTHONPATH=src .venv/dev/bin/python -m tests.faults $(if $(ONLY),--only '$(ONLY)')

.PHONY: mutate
mutate: $(DEV) ## Break a copy of the project in each of the known ways, and see that tests notice
	@PYTHONPATH=src .venv/dev/bin/python -m tests.mutations $(if $(ONLY),--only '$(ONLY)')

# For `make lock`: UPGRADE=1 renews the pins of what no .in file names anew, too.
UPGRADE =

# For `make preflight` and `make redrive`: the stack, in the account of the credentials; by default the
# one that `sam deploy` takes without --config-env.
STACK = $(shell awk '/^\[/ { ours = /^\[default\./ } \
  ours && sub(/^stack_name *= *"/, "") { sub(/".*/, ""); name = $$0 } END { print name }' samconfig.toml)
# One word for the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'

.PHONY: preflight
preflight: $(DEV) ## Say what would stop a deployment, and what mends it: STACK=name
	@PYTHONPATH=src .venv/dev/bin/python -m scripts.preflight $(call quoted,$(STACK))

.PHONY: redrive
redrive: $(DEV) ## Deliver events again that were kept because of a failure: STACK=name
	@.venv/dev/bin/python -m scripts.redrive $(call quoted,$(STACK))

.PHONY: test
test: $(DEV) .venv/sam/.installed .venv/aws/.installed ## Everything that CI runs: all the checks below, and the tests on each Python
	@$(MAKE) pythons
	@$(MAKE) lint
	@$(MAKE) $(TOGETHER) $(sort $(TESTED:%=tests-on-%) tests-on-$(OWN)) build types template scan
	@$(MAKE) pythons

# For `make bench`: how many executions side by side, one number after the other.
EXECUTIONS = 200

.PHONY: bench
bench: $(DEV) ## Measure the local system, in process, beside what bounds it: EXECUTIONS=200
	@.venv/dev/bin/python -m bench --executions $(EXECUTIONS)

.PHONY: pictures
pictures: $(DEV) ## Draw the documentation's picture of a trace from an execution on this machine
	@.venv/dev/bin/python -m scripts.pictures

# For `make busy`: what to run so.
TARGET = test

.PHONY: busy
busy: ## Run another target beside four busy loops, as on a slow machine: TARGET=test
	@for loop in 1 2 3 4; do while :; do :; done & loops="$$loops $$!"; done; \
	trap 'kill $$loops' EXIT; trap 'exit 1' INT TERM; $(MAKE) $(TARGET)

.PHONY: lint
lint: $(DEV) ## Style (ruff)
	$(call title,ruff)
	@.venv/dev/bin/ruff check
	@.venv/dev/bin/ruff format --check

.PHONY: types
types: $(DEV) ## Static types (mypy)
	$(call title,mypy)
	@.venv/dev/bin/mypy

.PHONY: template
template: $(DEV) .venv/sam/.installed ## The template (cfn-lint, sam validate)
	$(call title,cfn-lint and sam validate)
	@.venv/dev/bin/cfn-lint template.yaml
	@$(SAM) validate --lint

.PHONY: scan
scan: $(DEV) .venv/checkov/.installed ## The template's security (checkov): it finds what .checkov.yaml argues, and no more
	$(call title,checkov)
	@.venv/dev/bin/pytest tests/scan

.PHONY: build
build: $(DEV) .venv/sam/.installed ## What would be deployed (sam build): made, and each handler imported from it
	@if $(find_python) $(LAMBDA) >/dev/null; then $(MAKE) artifacts; else $(MAKE) pythons; fi

.PHONY: unit
unit: $(DEV) ## The quick tests alone
	@.venv/dev/bin/pytest tests/unit tests/property

.PHONY: lock
lock: .venv/uv/.installed ## Pin and hash what .in files name anew; or renew every pin: UPGRADE=1
	@for name in $(LOCKED); do \
	  cp $$name.txt $$name.new && $(UV) pip compile --quiet $(if $(UPGRADE),--upgrade )\
	    --generate-hashes --universal --python-version $(OLDEST) \
	    --custom-compile-command 'make lock' --output-file $$name.new $$name.in \
	    || { rm -f $$name.new; exit 1; }; \
	  if cmp -s $$name.new $$name.txt; then rm $$name.new; else mv $$name.new $$name.txt; fi; \
	done

.PHONY: clean
clean: ## Remove everything that these targets make
	@test ! -e .local || $(MAKE) down
	@rm -rf .local .venv .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find bench local scripts src tests -name __pycache__ -prune -exec rm -rf {} +

# ---------------------------------------------------------------- parts

# Says which Pythons the tests will miss; in CI they may miss none.
.PHONY: pythons
pythons:
	@for version in $(TESTED); do \
	  $(find_python) $$version >/dev/null || missing="$$missing $$version"; \
	done; \
	test -z "$$missing" || { \
	  case "$$missing" in *$(LAMBDA)*) skipped='Its tests and sam build';; *) skipped='Its tests';; esac; \
	  printf '\n\033[1;31m%s\n%s\033[0m\n' \
	    "NOT FOUND: Python$$missing, with pip, on PATH or where version managers keep it." \
	    "$$skipped are skipped here. In CI this is a failure."; \
	  test "$$CI" != true; \
	}

# Tests wait more than they work, so two processes for each Python are faster on two cores. Files keep
# their order in each: moto forgets all when tests begin that have it play an account of their own,
# and with it the system that other tests share.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The version in use has its environment already; others get one, if this machine has them.
OWN := $(shell $(python) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# Tests that take long and are alike on each Python run once. Those of tools, documents and the local
# system run on the Python in use; those of what is deployed, over all its states, on the functions'
# own, where this machine has it. Each flow, with real workers, and all quick tests run on each.
ONCE_HERE := tests/unit/preflight \
  $(addprefix tests/unit/test_,docs.py fragments.py make.py mutations.py) \
  $(addprefix tests/integration/local/test_,alarms.py buckets.py chained_invokes.py::test_processes \
  dead_letters.py definitions.py events.py floor.py iam.py large_data.py metrics.py own_images.py \
  payload_examples.py preflight.py redrive.py seams.py threads.py traces.py wakeups.py xray.py) \
  $(addprefix tests/e2e/test_,any_command.py demo.py documented_commands.py hardship.py history.py \
  preflight.py processes.py retries.py rule.py sam_local.py traces.py up.py up_processes.py)
FLOWS := dynamodb eventbridge polling task_state
ONCE_THERE := tests/faults tests/integration/repairs tests/integration/worker tests/property \
  $(filter-out $(FLOWS:%=tests/integration/test_%.py),$(wildcard tests/integration/test_*.py))
left_out = $(if $(filter $(OWN),$(1)),,$(ONCE_HERE:%=--deselect %)) \
  $(if $(filter $(LAMBDA),$(1)),,$$($(find_python) $(LAMBDA) >/dev/null \
  && echo $(ONCE_THERE:%=--deselect %)))

.PHONY: tests-on-$(OWN)
tests-on-$(OWN):
	$(call title,Tests on Python $(OWN))
	@.venv/dev/bin/pytest $(SIDE_BY_SIDE) $(call left_out,$(OWN))

tests-on-%:
	@if $(find_python) $* >/dev/null; then $(MAKE) .venv/$*/.installed pytest-$*; fi

pytest-%:
	$(call title,Tests on Python $*)
	@.venv/$*/bin/pytest $(SIDE_BY_SIDE) $(call left_out,$*)

# The environment of the Python that artifacts are for.
BUILT_FOR := $(if $(filter $(OWN),$(LAMBDA)),dev,$(LAMBDA))

.PHONY: artifacts
artifacts: .aws-sam/build/template.yaml .venv/$(BUILT_FOR)/.installed
	$(call title,Artifacts)
	@.venv/$(BUILT_FOR)/bin/pytest tests/artifacts

# `sam build` looks on PATH for the functions' Python.
.aws-sam/build/template.yaml: .venv/sam/.installed template.yaml samconfig.toml \
    $(shell find src -name __pycache__ -prune -o -print)
	$(call title,sam build)
	@PATH="$$(dirname "$$($(find_python) $(LAMBDA))"):$$PATH" $(SAM) build

# Telemetry and the weekly look for a new version write a file: keep it in the tree.
SAM = SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR='$(CURDIR)/.venv/sam/home' \
  AWS_DEFAULT_REGION=us-east-1 .venv/sam/bin/sam

# ---------------------------------------------------------------- environments

# uv knows nothing of pip's settings. The index and the certificates that pip is set to use are
# handed on; all that is installed is public, so other indexes are not needed.
pip_setting = $$(.venv/uv/bin/pip config get global.$(1) 2>/dev/null)
# Where its cache cannot be kept, for instance below a HOME that cannot be written, it does without.
UV = index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$(call pip_setting,index-url)}}"; \
  cert="$${SSL_CERT_FILE:-$${PIP_CERT:-$(call pip_setting,cert)}}"; \
  cache="$$(.venv/uv/bin/uv cache dir)"; \
  mkdir -p "$$cache" 2>/dev/null && test -w "$$cache" || export UV_NO_CACHE=1; \
  UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never env $${index:+"UV_DEFAULT_INDEX=$$index"} \
  $${cert:+"SSL_CERT_FILE=$$cert"} .venv/uv/bin/uv

.venv/uv/.installed: requirements/uv.txt
.venv/dev/.installed $(TESTED:%=.venv/%/.installed): requirements/dev.txt .venv/uv/.installed
# Tools that pin what the rest of the project needs newer: each lives alone.
ALONE := sam aws checkov
$(ALONE:%=.venv/%/.installed): .venv/%/.installed: requirements/%.txt .venv/uv/.installed

ENVIRONMENTS := $(addprefix .venv/,uv dev $(ALONE) $(TESTED))
ifndef IS_ALONE
# Of makes that run at once, one makes an environment; the others wait, and find that it is there.
$(ENVIRONMENTS:%=%/.installed):
	@command -v $(PYTHON) >/dev/null \
	  || { echo 'Python $(OLDEST) or newer is needed; there is no $(PYTHON) on PATH.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; found = "%d.%d" % sys.version_info[:2]; \
	  sys.exit(sys.version_info < tuple(map(int, "$(OLDEST)".split("."))) and \
	  "Python $(OLDEST) or newer is needed; $(PYTHON) is %s (%s). Install a newer one, or name " \
	  "it: make PYTHON=/path/to/python $(MAKECMDGOALS)" % (found, sys.executable))'
	@$(PYTHON) scripts/alone.py $(@D).lock $(MAKE) -s IS_ALONE=1 $@
else
# $(1): the environment's interpreter.
install = $(UV) venv --quiet --clear --no-project --python "$(1)" $(@D) \
  && $(UV) pip sync --quiet --require-hashes --python $(@D) $< && touch $@

# Ctrl-C ends it as it ends any program.
.venv/uv/.installed:
	$(call title,Making the environments)
	@rm -rf $(@D)
	@$(PYTHON) -c 'import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); \
	  import venv; venv.main()' $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(addprefix .venv/,$(addsuffix /.installed,dev $(ALONE))):
	@$(call install,$$($(PYTHON) -c 'import sys; print(sys.executable)'))

$(TESTED:%=.venv/%/.installed):
	@$(call install,$$($(find_python) $(@D:.venv/%=%)))
endif
