#!/usr/bin/env bash
# The step of action.yml: annotations on standard output, SARIF into a file, the exit status among the outputs.
set -euo pipefail
sarif="${RUNNER_TEMP:-/tmp}/gpuwhy.sarif"
read -ra paths <<<"${PATHS:-.}"
read -ra options <<<"${OPTIONS:-}"
status=0
gpuwhy lint "${options[@]}" --format sarif -- "${paths[@]}" >"$sarif" || status=$?
[ "$status" -le 1 ] || exit "$status"
gpuwhy lint "${options[@]}" --format github -- "${paths[@]}" || true
{
  echo "sarif=$sarif"
  echo "status=$status"
} >>"$GITHUB_OUTPUT"
