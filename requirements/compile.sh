#!/bin/sh
# Renew the pinned, hashed requirement lists from pyproject.toml; they name no index.
set -eu
cd "$(dirname "$0")/.."
compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-header --override requirements/overrides.in pyproject.toml requirements/build.in "$@"
}
compile -o requirements/runtime.txt
compile --extra dev -c requirements/runtime.txt -o requirements/development.txt
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
  --no-header requirements/llama-index.in -o requirements/llama-index.txt
