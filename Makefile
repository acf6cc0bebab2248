# Two commands: `make run` and `make test`. Nothing to configure; see README.md.
PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: run test install lint bench lock

run: install
	.venv/bin/lvlin serve

install: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

.venv/.installed-test: .venv/.installed requirements-test.lock
	$(PIP) install --require-hashes -r requirements-test.lock
	touch $@

# Debian's chromium for the browser tests, if none is there and we may install it.
.PHONY: browser
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; \
	  else echo "lvlin: no chromium found — install Debian's chromium for the browser tests" >&2; exit 1; fi; }

lint: .venv/.installed-test
	.venv/bin/ruff check .
	.venv/bin/mypy

test: .venv/.installed-test browser lint
	.venv/bin/python -m pytest --ignore=tests/browser -n auto --dist worksteal
	.venv/bin/python -m pytest tests/browser

bench: .venv/.installed-test
	.venv/bin/python -m benchmarks

# Make the lock files anew (needs pip-tools in .venv).
LOCK = .venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock:
	$(LOCK) --extra install --output-file requirements.lock pyproject.toml
	$(LOCK) --extra install --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml
