# make demo: train and evaluate on synthetic walkers.  make test: style, types and all tests.
PYTHON ?= python3
# On Linux plain torch brings gigabytes of CUDA libraries; the converter's tests need the CPU only.
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo_out

.PHONY: demo lint test gpu format clean

demo: $(VENV)/.demo
	$(BIN)/python -m gaitjax.train --config configs/gaitgraph2_walkers.py --workdir $(DEMO)
	$(BIN)/python -m gaitjax.evaluate --config configs/gaitgraph2_walkers.py \
		--checkpoint $(DEMO) --compare_untrained
	@echo "metrics: $(DEMO)/metrics.jsonl, numbers: $(DEMO)/evaluation.json, figures: $(DEMO)/evaluation/"

test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations 10

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# On a machine with a GPU: embeddings against the goldens, then every network against PyTorch and by
# itself at its own batch size, in float32 and bfloat16, end to end from packed poses.
MEASURE = $(PYTHON) -m gaitjax.benchmark --own_size --dtype float32 bfloat16 --limit 300
gpu:
	-JAX_PLATFORMS=cuda,cpu $(PYTHON) -m pytest tests/models/test_forward_goldens.py -k float32
	-$(MEASURE) --against torch --at_once 4 --json docs/benchmark_torch_gpu.json
	$(PYTHON) docs/make_speed.py
	-$(MEASURE) --json docs/benchmark_gpu.json

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.demo: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.test: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/pip install --quiet '$(TORCH)'
	$(BIN)/pip install --quiet --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV)* $(DEMO) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
