#!/bin/sh
# Installs the npm packages of package-lock.json when node_modules is missing or holds something else. Silent when there is nothing
# to do. Works with the Node that the machine has; afterwards node_modules/.bin holds the Node that the project uses.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .heddle

# Two runs at once must not both empty node_modules. Where there is no flock(1), the one who starts two runs has to see to it.
exec 9>.heddle/install.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi

stamp=node_modules/.heddle-packages
wanted=$(cksum package-lock.json package.json)
if [ -x node_modules/.bin/node ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then exit 0; fi

# npm removes node_modules first, and with it the Node that npm scripts run with: it must run with the machine's own.
PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -v 'node_modules/\.bin$' | paste -sd: -)
export PATH
if ! command -v npm >/dev/null 2>&1; then
  echo 'npm is missing: install Node.js 20 or newer, which brings it.' >&2
  exit 1
fi

if [ ! -x node_modules/.bin/node ] || ! node hack/packages-installed.mjs; then
  echo 'Installing npm packages (about half a minute).' >&2
  # Not `npm ci`: it refuses a lock file that lacks optional packages of other systems, and a registry that does not carry
  # those writes no other. What it gives, exactly the locked versions or an error, the check afterwards gives too.
  npm install --no-save --no-audit --no-fund --loglevel=error 9>&- >&2
  if ! node hack/packages-installed.mjs; then
    echo 'package.json and package-lock.json do not agree: run npm install and commit package-lock.json.' >&2
    exit 1
  fi
fi
printf '%s' "$wanted" >"$stamp"
