#!/usr/bin/env bash
# Runs one bash test in an empty folder that goes away afterwards.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export TMPDIR=$folder
bash -eu "$1"
