# Two commands set everything up from a clean clone: `make demo` and `make test`. Python 3.11 or newer is all they need.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-long test-gpu check bench bundled clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("got-ocr needs Python 3.11 or newer") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[render]'
	touch $@

.venv/.ready-dev: $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: $(READY)  ## read the samples with the bundled model, print the text, write out/demo.html and out/formatted.html
	mkdir -p out
	$(BIN)/got-ocr read samples --model bundled
	$(BIN)/got-ocr read samples/formulas samples/tables samples/drawings samples/music --mode format --model bundled
	$(BIN)/got-ocr read samples --model bundled --quiet --to html --side-by-side -o out/demo.html
	$(BIN)/got-ocr read samples/formulas samples/tables samples/drawings samples/music --mode format --model bundled --quiet --to html --side-by-side -o out/formatted.html
	@echo "The pages to look at: out/demo.html, out/formatted.html"

test: .venv/.ready-dev  ## the whole everyday suite
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2 --dist worksteal

test-long: .venv/.ready-dev  ## the slow checks as well
	$(BIN)/python -m pytest -m "not gpu"

test-gpu: .venv/.ready-dev
	$(BIN)/python -m pytest -m gpu

check: .venv/.ready-dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bundled: .venv/.ready-dev  ## train the bundled model from nothing, resumable; on a GPU every kind, in pieces of eight minutes
	@if $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then \
		s=11; while [ $$s -eq 11 ]; do $(BIN)/got-ocr train configs/bundled/gpu.toml --out runs/gpu --resume --minutes 8; s=$$?; done; exit $$s; \
	else \
		$(BIN)/got-ocr train configs/bundled/printed.toml --out runs/printed --resume && \
		$(BIN)/got-ocr train configs/bundled/kinds.toml --out runs/kinds --resume && \
		$(BIN)/got-ocr train configs/bundled/drawings.toml --out runs/drawings --resume && \
		$(BIN)/python tools/blend.py runs/kinds/model runs/drawings/model 0.75 runs/blend && \
		$(BIN)/got-ocr train configs/bundled/formulas.toml --out runs/formulas --resume && \
		$(BIN)/got-ocr train configs/bundled/music.toml --out runs/music --resume && \
		$(BIN)/got-ocr train configs/bundled/staves.toml --out runs/staves --resume; \
	fi

bench: .venv/.ready-dev
	$(BIN)/got-ocr bench
	$(BIN)/python benchmarks/synth.py

clean:
	rm -rf .venv out build dist
