# `make demo` trains an agent from nothing and shows what it draws; `make test` checks everything; `make docs` builds the
# documentation site into the folder site.
PYTHON ?= python3
TORCH ?= torch==2.13.0
MINUTES ?= 5
BIN = .venv/bin
share = $(shell awk 'BEGIN { print $(1) * $(MINUTES) }')
APT = g++ pkg-config libmypaint-dev mypaint-brushes python3-dev python3-venv
GL = libegl1 libgl1 libgl1-mesa-dri
SOURCES = pyproject.toml CMakeLists.txt $(wildcard src/limner/worlds/*.h src/limner/worlds/*/*.cpp src/limner/worlds/*/*.h)

.PHONY: demo test docs install system scenes browser clean wheel wheel-test

demo: install
	rm -rf runs/demo runs/demo-prior
	$(BIN)/limner train mnist-prior --minutes $(call share,0.7) --out runs/demo-prior
	$(BIN)/limner train mnist-finetune --start runs/demo-prior --horizon 8 --minutes $(call share,0.3) \
	  --critic.encoder none --critic.gradient-penalty 0.2 --evaluate-every 20 --out runs/demo
	@echo "Open runs/demo/report.html"

test: install scenes browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

docs: install
	$(BIN)/python docs/build.py site
	@echo "Open site/index.html, or serve it, to search it: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site"

install: .venv/installed

.venv/installed: $(SOURCES)
	$(MAKE) system
	$(PYTHON) -m venv .venv
	$(BIN)/pip install "$(TORCH)"
	$(BIN)/pip install -e ".[dev,train,pens,scenes,ray]"
	touch $@

# What the build needs of Debian or Ubuntu, installed when something is missing.
system:
	@dpkg -s $(APT) >/dev/null 2>&1 || { \
	  sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq $(APT); }

# What MuJoCo renders scenes and the robot with, on a processor alone.
scenes:
	@$(MAKE) --no-print-directory system APT="$(GL)"

# What the studio is tested in; where it cannot be had those tests are skipped.
browser:
	-@$(MAKE) --no-print-directory system APT=chromium

# dist/: the source distribution, and a wheel that needs neither a compiler nor libmypaint.
wheel: install
	rm -rf dist
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python release/make_wheel.py dist

# The wheel in a bare root of Debian without a network; made by root, in some ten minutes.
wheel-test: install
	@$(MAKE) --no-print-directory system APT=debootstrap
	$(BIN)/python release/try_wheel.py dist/*.whl --torch "$(TORCH)"

clean:
	rm -rf .venv build site dist
