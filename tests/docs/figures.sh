#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# figures.sh ZERO_PLAN PAGE [--update]: the figures of a page are what zero-plan prints now. Checks, or rewrites with
# --update, what lies between two kinds of comments and their `<!-- end -->`:
#
#   <!-- output of: zero-plan ARGUMENTS -->    the tool's output, as a block
#   <!-- savings of: zero-plan ARGUMENTS -->   per cent of the device memory of stage 0, as rows of a table
set -euo pipefail
plan=$1 page=$2 update=${3:-}

output() {
  printf '```\n'
  # The arguments are words of this repository's own pages.
  # shellcheck disable=SC2086
  "$plan" $1
  printf '```\n'
}

# One row for each number of ranks, one column for each stage from 1 on: 100 (1 - device total / that of stage 0).
savings() {
  printf '| ranks | stage 1 | stage 2 | stage 3 |\n| ---: | ---: | ---: | ---: |\n'
  # shellcheck disable=SC2086
  "$plan" $1 | awk '
    $1 ~ /^[0-9]+$/ && $3 == "none" {
      if ($2 == 0) { whole = $5; row = "| " $1; next }
      row = row sprintf(" | %.1f %%", 100 * (1 - $5 / whole))
      if ($2 == 3) print row " |"
    }'
}

fresh() {
  local line skipping=
  while IFS= read -r line; do
    if [ "$line" = "<!-- end -->" ]; then skipping=; fi
    [ -n "$skipping" ] || printf '%s\n' "$line"
    case $line in
      "<!-- output of: zero-plan "*) line=${line#*zero-plan } && output "${line%" -->"}" ;;
      "<!-- savings of: zero-plan "*) line=${line#*zero-plan } && savings "${line%" -->"}" ;;
      *) continue ;;
    esac
    skipping=yes
  done <"$page"
}

grep -q '^<!-- \(output\|savings\) of: ' "$page" || { echo "$page: has no figures" >&2; exit 1; }
text=$(fresh)
if [ "$update" = --update ]; then printf '%s\n' "$text" >"$page"; fi
diff -u --label "$page" --label "what zero-plan prints" "$page" - <<<"$text" ||
  { echo "Write it anew with: tests/docs/figures.sh <zero-plan> $page --update" >&2; exit 1; }
