#!/bin/sh
# Fetches Bootstrap Italia, Leaflet and fonts by the lock file and builds
# assets/dist. Does nothing when what it reads has not changed.
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null 2>&1; then
	echo "assets: npm not found, pages keep the plain stylesheet: install Node 20 or newer and run again" >&2
	exit 0
fi

lock=$(cat package.json package-lock.json | cksum)
if [ ! -d node_modules ] || [ "$(cat node_modules/.crinale 2>/dev/null || true)" != "$lock" ]; then
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	echo "$lock" >node_modules/.crinale
fi
node build.mjs
