#!/bin/sh
# Makes a clean clone ready: npm packages, then the generated code. Silent and quick when both are there and current.
set -eu
cd "$(dirname "$0")/.."
sh hack/install-packages.sh
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

exec 9>.heddle/generate.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi
node hack/generate/main.ts --if-stale 9>&- >&2
