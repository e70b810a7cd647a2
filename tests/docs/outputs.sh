#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# outputs.sh PROGRAMS PAGE... [--update]: what pages quote of the programs is what they print now. PROGRAMS are folders,
# separated by colons. Checks, or writes anew with --update, what lies between two lines of a page:
#
#   <!-- prints: PROGRAM ARGUMENTS -->    its output, or the lines of it that match a pattern: PROGRAM ARGUMENTS | grep ...
#   <!-- prints where it was built: ... -->    the same of a program that not every build has; one without it leaves
#                                         the block as it is, and says so
#   <!-- printed -->
set -euo pipefail
PATH=$1:$PATH
shift
update=
pages=()
for argument; do
  if [ "$argument" = --update ]; then update=yes; else pages+=("$argument"); fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fresh() {
  local line skipping=
  while IFS= read -r line; do
    if [ "$line" = "<!-- printed -->" ]; then skipping=; fi
    [ -n "$skipping" ] || printf '%s\n' "$line"
    case $line in
      "<!-- prints: "*" -->") line=${line#<!-- prints: } ;;
      "<!-- prints where it was built: "*" -->")
        line=${line#<!-- prints where it was built: }
        if ! type -P "${line%% *}" >/dev/null; then
          echo "$1: not compared: ${line%% *} was not built" >&2
          continue
        fi
        ;;
      *) continue ;;
    esac
    # The command is one of this repository's own pages.
    # shellcheck disable=SC2016 # backticks of Markdown
    printf '```\n%s\n```\n' "$(cd "$work" && bash -o pipefail -c "${line%" -->"}" 2>&1 </dev/null)"
    skipping=yes
  done <"$1"
}

failed=
for page in "${pages[@]}"; do
  grep -q '^<!-- prints: ' "$page" || { echo "$page: quotes nothing" >&2; exit 1; }
  text=$(fresh "$page")
  if [ -n "$update" ]; then printf '%s\n' "$text" >"$page"; fi
  diff -u --label "$page" --label "what the programs print" "$page" - <<<"$text" || failed=yes
done
[ -z "$failed" ] || { echo "Write the pages anew with: tests/docs/outputs.sh PROGRAMS PAGE... --update" >&2; exit 1; }
