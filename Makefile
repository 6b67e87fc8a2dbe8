# What a person runs here. Each target first installs what it lacks.

# The real editors and frameworks that the browser tests write into, bundled once.
EDITORS = tests/fixtures/editors
# The real widgets that the browser tests act on, bundled once.
WIDGETS = tests/fixtures/widgets
# The official client that the tests of the MCP server are made with.
MCP_CLIENT = tests/fixtures/mcp
# Other people's clients, which the MCP server is tried with.
CLIENTS = tests/clients
CLIENTS_MODULES = $(CLIENTS)/node_modules/.package-lock.json
CLIENTS_PYTHON = target/clients/requirements.txt
# The pages that reading is measured on, and what other tools read them with.
CORPUS = target/corpus/site/govuk.html
PEERS_MODULES = tests/corpus/peers/node_modules/.package-lock.json
# The pages of MiniWoB++.
MINIWOB = target/miniwob/requirements
# What checks the extension and runs its tests.
EXTENSION_TOOLS = tests/extension/node_modules/.package-lock.json

.PHONY: contract check test test-release wire-test demo bench soak soak-files miniwob tokens tasks corpus fuzz coverage supply-chain lint extension-test editors widgets mcp-client clients \
	packages reproducible check-prerequisites prerequisites release-prerequisites build-prerequisites \
	package-prerequisites demo-prerequisites bench-prerequisites

# The inner loop, in less than a minute once everything is built: format, lint, types, unit tests and the wire tests.
check: check-prerequisites lint extension-test wire-test

# Unit tests and wire tests: they keep the processors busy and look at latencies, so that few run at once.
wire-test: check-prerequisites
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test --lib --test wire

# All tests but those of what is released. Most of the others wait for processes, so more run at once than there are
# processors.
test: prerequisites lint extension-test wire-test editors widgets mcp-client corpus
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-8} cargo test --no-fail-fast --test process --test os --test browser
	cargo test --doc

# What people install: the packages, that the same source gives the same bytes, and a life with each of them.
test-release: release-prerequisites $(EXTENSION_TOOLS) packages reproducible
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-8} cargo test --test release

# The main job on real input, for a person to watch: command line, daemon, extension, a page in a real Chromium, and back.
demo: demo-prerequisites
	cargo test --quiet --test browser demo:: -- --nocapture

# What people install, from one release build, into target/package. docs/install.md says what it is like.
packages: package-prerequisites
	packaging/build
	packaging/packages
	packaging/tarball
	packaging/extension

# That the same source gives the same bytes: everything once more, built elsewhere.
reproducible: packages
	packaging/reproducible

# What a command costs: its parts, the hop through the daemon beside one without any rules, whole calls to a page;
# with PEERS=1 beside those of another command line. docs/performance.md says how to read the tables.
bench: bench-prerequisites $(if $(PEERS),$(PEERS_MODULES))
	cargo bench --quiet --bench parts
	cargo bench --quiet --bench hop
	cargo bench --quiet --bench pages

# Many agents and browsers, 200,000 commands, and everything that can break breaking.
soak: build-prerequisites
	SOAK_COMMANDS=$${SOAK_COMMANDS:-200000} cargo test --release --test process soak:: -- --nocapture

# Files in bulk through a real browser, both ways: thousands of them, and one that is large.
soak-files: prerequisites
	SOAK_FILES=$${SOAK_FILES:-1000} FILES_AT_ONCE=$${FILES_AT_ONCE:-100} LARGE_MIB=$${LARGE_MIB:-300} \
		cargo test --test browser -- --nocapture many_files_of_mixed_sizes many_uploads_at_once large_files::

# The MCP server with other people's clients: the SDKs for Python and Rust, fastmcp, the inspector, the conformance suite.
clients: $(CLIENTS_MODULES) $(CLIENTS_PYTHON) | prerequisites
	cargo build --quiet --locked --manifest-path $(CLIENTS)/rust/Cargo.toml --target-dir target/clients/rust
	cargo test --test browser clients:: -- --ignored --nocapture

# Not by `npm ci`, which refuses a lock without an optional package of vite's that is not in every registry.
$(CLIENTS_MODULES): $(CLIENTS)/package-lock.json | prerequisites
	cd $(CLIENTS) && npm install --no-save --ignore-scripts --no-audit --no-fund --silent
	touch $@

$(CLIENTS_PYTHON): $(CLIENTS)/requirements.txt | prerequisites
	scripts/prerequisites pip
	rm -rf $(@D)/python
	python3 -m pip install --quiet --require-hashes --requirement $< --target $(@D)/python
	cp $< $@

# Some 130 small tasks in real pages, done by a script that uses the command line alone (MINIWOB_TASKS for some of them).
miniwob: $(MINIWOB) | prerequisites
	scripts/prerequisites $(arial)
	RUST_TEST_THREADS=1 cargo test --test browser -- --ignored --nocapture miniwob:: clickables::

$(MINIWOB): tests/miniwob/requirements.txt | prerequisites
	rm -rf $(@D)
	scripts/prerequisites pip
	python3 -m pip download --quiet --no-deps --require-hashes --requirement $< --dest $(@D)
	python3 -m zipfile --extract $(@D)/*.whl $(@D)
	touch $@

# What reading costs an agent, in tokens, beside the last release; with PEERS=1 also what other tools read.
tokens: corpus mcp-client $(if $(PEERS),$(PEERS_MODULES))
	RUST_TEST_THREADS=1 cargo test --test browser tokens:: -- --ignored --nocapture

# What tasks cost an agent over the core tools, in calls and tokens; with PEERS=1 beside what they cost with other tools.
tasks: corpus mcp-client $(if $(PEERS),$(PEERS_MODULES))
	cargo test --test browser tasks:: -- --nocapture

corpus: widgets editors $(CORPUS)

$(CORPUS): tests/corpus/build tests/corpus/govuk.js tests/corpus/package-lock.json tests/corpus/requirements.txt | prerequisites
	scripts/prerequisites pip dpkg-deb
	tests/corpus/build

$(PEERS_MODULES): tests/corpus/peers/package-lock.json | prerequisites
	cd $(@D)/.. && npm ci --ignore-scripts --no-audit --no-fund --silent

# What strangers can say, led by coverage: each target for FUZZ_SECONDS, from the seeds that the tests mutate as well.
# Needs a nightly compiler.
fuzz:
	scripts/prerequisites cargo cc c++ cargo-fuzz
	cargo +nightly --version >/dev/null || { echo "no nightly compiler: run 'rustup toolchain install nightly'" >&2; exit 1; }
	set -e; for target in $$(cargo +nightly fuzz list); do \
		mkdir -p fuzz/corpus/$$target; \
		cargo +nightly fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$${FUZZ_SECONDS:-60}; \
	done

# Which lines of src/ the tests run; fails below nine in ten. docs/testing.md says what is left out, and why.
coverage: prerequisites mcp-client
	scripts/prerequisites cargo-llvm-cov
	scripts/coverage

# What bproxy is built from, on every platform, by deny.toml: licences, sources, bans, known vulnerabilities.
supply-chain:
	scripts/prerequisites cargo cc cargo-deny
	cargo deny --locked check

# What the extension knows of the protocol, from the tables in src/protocol.
contract:
	BPROXY_UPDATE_CONTRACT=1 cargo test --quiet --test wire contract

lint: check-prerequisites $(EXTENSION_TOOLS)
	cargo fmt --check
	cargo clippy --all-targets -- --deny warnings
	RUSTDOCFLAGS=--deny=warnings cargo doc --no-deps --quiet
	shellcheck --external-sources $$(git grep -lE '^#!(/bin/sh|/usr/bin/env bash)$$')
	cd tests/extension && npm run lint --if-present --silent

# The extension's own tests: types, then its pure parts under node's test runner.
extension-test: $(EXTENSION_TOOLS)
	cd tests/extension && npm test --silent

$(EXTENSION_TOOLS): tests/extension/package-lock.json | check-prerequisites
	cd tests/extension && npm ci --no-audit --no-fund --silent

editors: $(EDITORS)/dist/vue.html

$(EDITORS)/dist/vue.html: $(EDITORS)/package-lock.json $(EDITORS)/build.js $(wildcard $(EDITORS)/src/*) | prerequisites
	cd $(EDITORS) && npm ci --no-audit --no-fund --silent && npm run build --silent

widgets: $(WIDGETS)/dist/vue.html

$(WIDGETS)/dist/vue.html: $(WIDGETS)/package-lock.json $(WIDGETS)/build.js $(wildcard $(WIDGETS)/src/* $(WIDGETS)/lib/*) | prerequisites
	cd $(WIDGETS) && npm ci --no-audit --no-fund --silent && npm run build --silent

mcp-client: $(MCP_CLIENT)/node_modules/.package-lock.json

$(MCP_CLIENT)/node_modules/.package-lock.json: $(MCP_CLIENT)/package-lock.json | prerequisites
	cd $(MCP_CLIENT) && npm ci --no-audit --no-fund --silent

# Tests of the service boot a systemd and unlock a keyring; elsewhere than on Linux there is neither.
ifeq ($(shell uname),Linux)
machine = systemctl /usr/lib/systemd/user/dbus.socket unshare bwrap ip useradd bash perl strace
keyring = dbus-daemon dbus-monitor dbus-send gnome-keyring-daemon secret-tool
# Tests install the packages, and have the distributions' own checks look at them.
packaging = lintian /usr/lib/python3/dist-packages/debian/copyright.py rpm rpmlint ruby makepkg nix-instantiate curl wget unzip
# Tests open windows that take the focus from the browser's, or cover it.
screen = Xvfb openbox xmessage
# The pages of MiniWoB++ are drawn for the widths of Arial.
arial = /usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf
endif

# Tests ask the shells themselves for completions, have man show and mandoc check the manual pages, and run what docs say to paste.
shells = bash zsh fish man mandoc jq

check-prerequisites:
	scripts/prerequisites cargo cc node npm shellcheck bash jq

prerequisites:
	scripts/prerequisites cargo cc chromium node npm python3 shellcheck $(shells) $(screen) $(machine) $(keyring)

release-prerequisites: package-prerequisites
	scripts/prerequisites chromium $(machine) $(keyring) $(packaging)

build-prerequisites:
	scripts/prerequisites cargo cc

package-prerequisites:
	scripts/prerequisites cargo cc git gzip python3 dpkg-shlibdeps cargo-deb rpmbuild

demo-prerequisites:
	scripts/prerequisites cargo cc chromium

bench-prerequisites:
	scripts/prerequisites cargo cc chromium $(keyring)
