# `make` prints what there is.
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DEMO_PORT ?= 8001
export PORT DEMO_PORT
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.installed ## Install, migrate, apply the example site, serve it and a demo shop
	@$(BIN)/consent migrate
	@$(BIN)/consent site apply examples/callbell.toml
	@$(BIN)/python examples/shop/serve.py & shop=$$!; trap 'kill $$shop 2>/dev/null' EXIT INT TERM; \
	$(BIN)/consent serve --welcome

.PHONY: demo
demo: $(VENV)/.installed ## Serve the example site with a made-up year of visitors; making it takes two minutes, once
	@$(BIN)/consent demo --year --keep instance-demo/year

APPS := packages/embed/test-apps
# The release that everybody has, whose data this version takes over.
LAST_COMMIT := 08acbca2fb2ec94a7a57d1867a2b474f81d3f319
LAST := $(VENV)/release-0.2.0
BUILT := static/widget/dist consent_server/rates/assets/dist
# Three on two cores: a third of the time a test waits for a browser or a server.
PYTEST := $(BIN)/python -m pytest -n 3 --dist worksteal
# As tests/support/environment.py has it for what pytest starts; these are read before that.
ifneq ($(filter test%,$(MAKECMDGOALS)),)
unexport $(filter PYTHON%,$(.VARIABLES))
endif
.PHONY: test
test: ready ## Install what tests need and pass every test
	$(PYTEST)

.PHONY: test-fast
test-fast: ready ## Pass what needs no browser and not long: whether a change is good
	$(PYTEST) -m "not browser and not slow"

.PHONY: test-slow
test-slow: ready debian-wordpress promtool $(LAST)/.installed ## Pass every test with the figures of a release: before one
	$(PYTEST) --slow

# The build comes before the tests, which read what it writes.
.PHONY: ready
ready test test-fast test-slow: export LC_ALL := C.UTF-8
ready test test-fast test-slow: export TZ := UTC
ready: $(VENV)/.installed-dev node_modules/.installed $(APPS)/node_modules/.installed chromium fonts firefox postgresql pgbouncer openssl php golang web-servers systemd
	@$(MAKE) --no-print-directory -j 2 style types widget-tests widget-build

.PHONY: backends
backends: $(VENV)/.installed-dev node php golang ## Run the checks of examples/backend/ against good and forged tokens
	$(BIN)/python -m pytest tests/examples

.PHONY: wordpress
wordpress: $(VENV)/.installed-dev chromium fonts debian-wordpress ## Run the WordPress plug-in on WordPress with MariaDB, in Chromium
	$(BIN)/python -m pytest --slow tests/browser/test_wordpress.py

.PHONY: upgrade
upgrade: $(VENV)/.installed-dev $(LAST)/.installed ## Bring a made-up year of the last release to this version; a minute
	$(BIN)/python -m pytest --slow tests/compat/test_upgrade.py

.PHONY: gtm
gtm: $(VENV)/.installed-dev node ## Run the own tests of the template for Tag Manager
	$(BIN)/python -m pytest tests/integrations

.PHONY: try-systemd
try-systemd: $(VENV)/.installed-dev mmdebstrap systemd-container ## Start the units of deploy/systemd in a Debian with systemd, made anew; needs root, five minutes
	$(BIN)/python -m tests.deploy.try_systemd

.PHONY: check
check: ## Check style, types and layers, as `make test` does first
	@$(MAKE) --no-print-directory -j 2 style types

.PHONY: style types widget-tests widget-build
types: $(VENV)/.installed-dev node_modules/.installed $(APPS)/node_modules/.installed
	$(BIN)/mypy
	npm run --silent typecheck
style: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
widget-tests: node_modules/.installed
	npm run --silent test
widget-build: node_modules/.installed  # what is committed is what the source builds
	@rm -rf $(VENV)/dist && mkdir $(VENV)/dist && cp -r $(BUILT) --parents $(VENV)/dist
	npm run --silent build
	@for built in $(BUILT); do diff -r $(VENV)/dist/$$built $$built || exit 1; done

.PHONY: hooks
hooks: $(VENV)/.installed-dev ## Have git run `make check` before each commit
	$(BIN)/pip install --quiet pre-commit==4.7.0
	$(BIN)/pre-commit install

.PHONY: openapi
openapi: $(VENV)/.installed-dev ## Write docs/openapi.json from what each room says of its routes
	$(BIN)/python -m docs.describe_interface

# pip's own form: pins with the hash of each file that the registry has of them.
LOCK := $(VENV)/lock/bin/pip-compile --quiet --generate-hashes --no-header --no-annotate --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-options
.PHONY: lock
lock: $(VENV)/bin/python ## Write requirements.lock and those for the build and for development: the pins with their hashes
	@python3 -m venv $(VENV)/lock
	@$(VENV)/lock/bin/pip install --quiet pip-tools==7.6.2
	@for name in requirements requirements-build requirements-dev; do $(LOCK) --output-file $$name.lock $$name.txt || exit 1; done

.PHONY: sbom
sbom: $(VENV)/.installed-dev ## Write sbom.cdx.json, a bill of materials (CycloneDX)
	@$(BIN)/python -m docs.bill_of_materials > sbom.cdx.json
	@echo sbom.cdx.json

.PHONY: version
version: $(VENV)/.installed-dev ## Set the version everywhere and cut the changelog: make version V=0.3.0
	@$(BIN)/python -m release.places "$(V)"

.PHONY: release
release: $(VENV)/.installed-dev node_modules/.installed ## Build all that goes out with a version into dist/; publishes nothing
	@$(BIN)/python -m release.build dist

.PHONY: format
format: $(VENV)/.installed-dev ## Format the Python code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: widget
widget: node_modules/.installed ## Build the widget and the script of the charts
	npm run --silent build

.PHONY: wheel
wheel: $(VENV)/.installed-dev ## Build dist/consent_server-VERSION-py3-none-any.whl, which needs no checkout
	@$(BIN)/python -m hatchling build --target wheel --directory dist

.PHONY: try-wheel
try-wheel: $(VENV)/.installed-dev chromium fonts mmdebstrap ## Install the wheel on a Debian with nothing but Python, and decide in its demo shop
	$(BIN)/python -m tests.deploy.try_wheel

.PHONY: embed
embed: $(VENV)/.installed-dev node_modules/.installed $(APPS)/node_modules/.installed chromium ## Pack the npm package, and try it in a React and in a Vue application
	cd packages/embed && npm pack --silent
	$(BIN)/python -m pytest tests/browser/test_embed_package.py

# In folders of their own, since they ask for other versions of what the server needs.
.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## Ask a server what Schemathesis and Wapiti think of; four minutes
	@test -x $(VENV)/schemathesis/bin/st || { python3 -m venv $(VENV)/schemathesis && \
	$(VENV)/schemathesis/bin/pip install --quiet schemathesis==4.32.5; }
	@test -x $(VENV)/wapiti/bin/wapiti || { python3 -m venv $(VENV)/wapiti && \
	$(VENV)/wapiti/bin/pip install --quiet wapiti3==3.2.3; }
	$(BIN)/python -m tests.fuzz.run $(CURDIR)/$(VENV)/schemathesis/bin/st $(CURDIR)/$(VENV)/wapiti/bin/wapiti

.PHONY: try-image
try-image: $(VENV)/.installed-dev mmdebstrap containers ## Build the image, and run it alone and by compose.yaml; ten minutes, as root
	$(BIN)/python -m tests.deploy.try_image

.PHONY: bench
bench: export no_proxy := 127.0.0.1,$(no_proxy)
bench: $(VENV)/.installed-dev node_modules/.installed chromium fonts postgresql wrk ## Measure, and print what bench/BASELINE.md records
	$(BIN)/python -m bench.decisions
	$(BIN)/python -m bench.sites
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.search
	$(BIN)/python -m bench.rates
	$(BIN)/python -m bench.widget

.PHONY: clean
clean: ## Remove what was installed or built; the instance folder with its records stays
	rm -rf $(VENV) node_modules $(APPS)/node_modules packages/embed/dist dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results

$(VENV)/bin/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@python3 -m venv $(VENV) || { echo "Install the venv module: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing Python packages …"
	@$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@

# As it said itself: from a checkout, with the packages that it names.
$(LAST)/.installed: | $(BIN)/python
	@git cat-file -e $(LAST_COMMIT) || { echo "The last release is not in this checkout: git fetch --unshallow"; exit 1; }
	@echo "Installing the last release …"
	@rm -rf $(LAST) && mkdir $(LAST) && git archive $(LAST_COMMIT) | tar -x -C $(LAST)
	@python3 -m venv $(LAST)/.venv
	@$(LAST)/.venv/bin/pip install --quiet --requirement $(LAST)/requirements.txt
	@$(LAST)/.venv/bin/pip install --quiet --no-deps --editable $(LAST)
	@touch $@

node_modules/.installed: package.json package-lock.json | node
	@npm ci --loglevel=error --no-audit --no-fund
	@touch $@

# The frameworks that the npm package is tried in; not with the others, since only that test needs them.
$(APPS)/node_modules/.installed: $(APPS)/package.json $(APPS)/package-lock.json | node
	@npm ci --prefix $(APPS) --loglevel=error --no-audit --no-fund
	@touch $@

# Each of these is installed by apt-get when it is missing and we may; otherwise it says what to install.
APT = tests/install-debian-packages

.PHONY: node chromium fonts firefox postgresql pgbouncer openssl php golang debian-wordpress promtool wrk mmdebstrap web-servers systemd systemd-container containers
node:
	@$(APT) npm nodejs npm
chromium:
	@$(APT) chromium chromium chromium-sandbox
	@$(APT) /usr/lib/*/libatomic.so.1 libatomic1  # Playwright's own Node needs it
	@$(APT) chromium-headless-shell chromium-headless-shell || echo "Without it the browser tests take three times as long."
fonts: # those that tests/support/fonts.conf names
	@$(APT) /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf fonts-dejavu-core
	@$(APT) /usr/share/fonts/truetype/roboto/unhinted/RobotoCondensed-Bold.ttf fonts-roboto-unhinted
firefox:
	@$(APT) firefox-esr firefox-esr
postgresql:
	@$(APT) /usr/lib/postgresql/*/bin/initdb postgresql
pgbouncer:
	@$(APT) /usr/sbin/pgbouncer pgbouncer
openssl:
	@$(APT) openssl openssl
php:
	@$(APT) php php-cli
golang:
	@$(APT) go golang-go
web-servers: # of Apache the program alone, so that none is started
	@$(APT) /usr/sbin/nginx nginx
	@$(APT) /usr/sbin/apache2 apache2-bin
	@$(APT) caddy caddy
systemd:
	@$(APT) systemd-analyze systemd
systemd-container:
	@$(APT) systemd-nspawn systemd-container
promtool:
	@$(APT) promtool prometheus
debian-wordpress: php
	@$(APT) /usr/sbin/mariadbd mariadb-server
	@$(APT) /usr/lib/php/*/mysqli.so php-mysql
	@$(APT) /usr/share/wordpress/wp-load.php wordpress
	@$(APT) /usr/share/wordpress/wp-content/themes/twentytwentythree/style.css wordpress-theme-twentytwentythree
wrk:
	@$(APT) wrk wrk
mmdebstrap:
	@$(APT) mmdebstrap mmdebstrap
containers:
	@$(APT) podman podman crun
	@$(APT) /usr/lib/podman/netavark netavark aardvark-dns iptables
