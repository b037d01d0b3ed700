#!/usr/bin/env bash
# Runs one test that needs other people's tools, in an empty folder that goes away afterwards. Without the
# environment that has them the test is skipped; in that environment a missing tool is a failure.
set -eu
if [ -z "${DQ_TOOLS_PYTHON:-}" ]; then
    echo "skipped: DQ_TOOLS_PYTHON names no Python with tests/tools/requirements.txt; ./dev test --all makes one"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod a+x "$folder" # a PostgreSQL server under a test runs as somebody else
# A Python module is looked for in this folder's home alone, not in that of whoever runs the tests; what browsers and
# others put into the temporary folder goes away with this one.
export HOME=$folder TMPDIR=$folder PYTHONNOUSERSITE=1 OMP_NUM_THREADS=1
case $1 in
*.py) "$DQ_TOOLS_PYTHON" "$1" ;;
*.sh) bash -eu "$1" ;;
*) "$1" ;;
esac
