#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# interface.sh COMPILER INCLUDE LIBRARY WORK RECORD [--update]: writes down all that a compiled program relies on: the
# numbers of zero/c.h, sizes and offsets of its structs, its functions, and what LIBRARY exports. Fails where that is not
# what the file RECORD holds: programs that were compiled before would break, or could not link. --update writes the file,
# which is for a new function or struct, or a struct that has grown.
set -euo pipefail
compiler=$1 include=$2 library=$3 work=$4 record=$5 update=${6:-}

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The header without comments and directives.
code() { sed -e 's|//.*||' -e 's|/\*.*\*/||' -e '/^ *#/d' -e '/extern "C"/d' "$include/zero/c.h"; }

# A program that prints numbers, sizes and offsets.
program() {
  printf '#include <zero/c.h>\n#include <stdio.h>\nint main(void) {\n'
  code | awk '
    function value(name) { printf "  printf(\"%%s = %%d\\n\", \"%s\", (int)%s);\n", name, name }
    /^typedef enum/ { in_enum = 1; printf "  puts(\"enum %s\");\n", $3; next }
    /^typedef struct [a-z_0-9]+ {/ { in_struct = $3; printf "  printf(\"struct %s: %%zu bytes\\n\", sizeof(%s));\n", $3, $3; next }
    /^}/ { in_enum = 0; in_struct = ""; next }
    in_enum && /[A-Z]/ { sub(/^ */, ""); sub(/[ ,=].*/, ""); printf "  fputs(\"  \", stdout);\n"; value($0) }
    in_struct != "" && /;/ {
      sub(/;.*/, ""); type = $0; name = $NF
      sub(/^ */, "", type); sub(/ *[a-z_0-9]+$/, "", type)
      printf "  printf(\"  %%zu: %s %s, %%zu bytes\\n\", offsetof(%s, %s), sizeof(((%s*)0)->%s));\n", type, name, in_struct, name, in_struct, name
    }'
  printf '  return 0;\n}\n'
}

# Declarations of functions and of types of functions, a line each.
functions() {
  code | awk '
    /^typedef (enum|struct [a-z_0-9]+ {)/ { skip = 1 }
    !skip && NF { text = text " " $0 }
    skip && /^}/ { skip = 0 }
    END { n = split(text, part, ";"); for (i = 1; i <= n; ++i) print part[i] }' | tr -s ' ' |
    sed -e 's/^ *//' -e 's/ *$//' | grep -E '^(zero_status|uint32_t|char const\*|typedef int) ' | sort
}

declared() { functions | sed -n 's/^[^(]* \(zero_[a-z_0-9]*\)(.*/\1/p' | sort; }
exported() { nm -D --defined-only "$library" | awk '{ print $3 }' | sort; }

mkdir -p "$work"
program >"$work/interface.c"
"$compiler" -std=c11 -Wall -Wextra -Werror -pedantic -I "$include" "$work/interface.c" -o "$work/interface"
{
  "$work/interface"
  functions
  printf 'exports\n'
  exported | sed 's/^/  /'
} >"$work/interface.txt"
if [ "$(grep -c '^struct' "$work/interface.txt")" -lt 10 ] || [ "$(declared | wc -l)" -lt 50 ]; then
  die "interface.sh: found hardly anything in zero/c.h: is it written otherwise now?"
fi
diff <(declared) <(exported) || die "zero/c.h declares other functions (<) than $library exports (>)"
if [ "$update" = --update ]; then
  cp "$work/interface.txt" "$record"
fi
diff "$record" "$work/interface.txt" || die "the interface for C has changed (> is new). Programs that were compiled" \
  "before rely on it. Where nothing is taken away from them, record it: ${BASH_SOURCE[0]} ${*:1:5} --update"
