#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/docs.sh [OUTPUT]: the API reference over the public headers, as HTML, in OUTPUT (build/docs where none is
# given). A public declaration without a description is an error. Installs Doxygen where it is missing, as root on
# Debian or Ubuntu.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

# public_headers: ZERO_PUBLIC_HEADERS and ZERO_C_HEADERS of cmake/headers.cmake, one a line.
public_headers() {
  sed -n '/^set(ZERO_\(PUBLIC\|C\)_HEADERS$/,/)/p' cmake/headers.cmake | tr -d ')' | sed -n 's/^ *\(include\/.*\)$/\1/p'
}

# version: what include/zero/version.hpp says.
version() {
  sed -n 's/^#define ZERO_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\).*/\2/p' include/zero/version.hpp | paste -sd.
}

main() {
  [ $# -le 1 ] || die "usage: scripts/docs.sh [OUTPUT]"
  case ${1:-} in -*) die "usage: scripts/docs.sh [OUTPUT]" ;; esac
  local output=${1:-build/docs}
  need doxygen has_command doxygen
  install_missing
  local headers
  headers=$(public_headers)
  [ -n "$headers" ] || die "scripts/docs.sh: cmake/headers.cmake lists no ZERO_PUBLIC_HEADERS"
  mkdir -p -- "$output"
  {
    cat docs/Doxyfile
    printf 'PROJECT_NUMBER = "%s"\nOUTPUT_DIRECTORY = "%s"\n' "$(version)" "$output"
    printf 'INPUT = docs/reference.md %s\nUSE_MDFILE_AS_MAINPAGE = docs/reference.md\n' "$(tr '\n' ' ' <<<"$headers")"
  } | doxygen - || die "scripts/docs.sh: the warnings above are errors"
  say "the API reference of $(wc -l <<<"$headers") headers: $output/html/index.html"
}

main "$@"
