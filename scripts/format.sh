#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/format.sh [--fix]: names the C and C++ files that clang-format would change and fails if there is one; --fix changes
# them. Version 14, because each version breaks lines in its own way. Then every shell script goes through shellcheck.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

# files <pattern...>: those of the repository, and those that would be, each ended by a zero byte.
files() {
  local file
  git ls-files -z --cached --others --exclude-standard -- "$@" |
    while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done
}
cxx_files() { files '*.c' '*.h' '*.cpp' '*.hpp' '*.cu' '*.cuh'; }

# Formats copies and compares them: --dry-run of version 14 also reports replacements that change nothing.
unformatted() {
  local copies
  copies=$(mktemp -d)
  cxx_files | xargs -0 cp --parents -t "$copies"
  cp .clang-format "$copies"
  cxx_files | (cd "$copies" && xargs -0 -n 32 -P "$(processors)" clang-format-14 -i)
  cxx_files | (cd "$copies" && xargs -0 sha256sum) >"$copies/sums"
  sha256sum --check --quiet "$copies/sums" 2>/dev/null | sed 's/: FAILED$//' || true
  rm -rf "$copies"
}

main() {
  [ $# -eq 0 ] || [ "$*" = --fix ] || die "usage: scripts/format.sh [--fix]"
  need clang-format-14 has_command clang-format-14
  need git has_command git
  need shellcheck has_command shellcheck
  install_missing
  if [ $# -gt 0 ]; then cxx_files | xargs -0 clang-format-14 -i; fi
  local found
  found=$(unformatted)
  [ -z "$found" ] || die "clang-format would change these files (scripts/format.sh --fix does):"$'\n'"$found"
  files '*.sh' .ci/run | xargs -0 shellcheck --external-sources --source-path=SCRIPTDIR --source-path=.
}

main "$@"
