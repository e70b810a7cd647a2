#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# blocks.sh PAGE NEED WORK COMPILER...: compiles the C++ blocks of a page that need NEED (host, cuda, libtorch, mpi, nccl
# or nvcc), or its blocks in C (c). The line before each block says how:
#
#   <!-- block: program -->          a whole program, which is run and must exit with 0
#   <!-- block: unit -->             a file without main
#   <!-- block: in NAME -->          in the place of the line `// block` of preludes/NAME.cpp, in C of NAME.c
#   <!-- block: ..., needs NEED -->  where it needs more than a C++ compiler
#
# A block without such a line is an error.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
page=$1 need=$2 work=$3
shift 3
compiler=("$@")

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# extract: writes each block to WORK/<line>.block and its comment to WORK/<line>.how
extract() {
  awk -v work="$work" '
    inside && /^```/ { inside = 0; close(file); next }
    inside { print > file; next }
    /^```(cpp|c\+\+|C\+\+|c$)/ {
      file = work "/" NR ".block"
      printf "" > file
      print previous > (work "/" NR ".how")
      inside = 1
    }
    /^```/ && !inside { other = !other }
    { previous = $0 }' "$page"
}

# source_of BLOCK HOW: the program that the block is part of
source_of() {
  case $2 in
    program* | unit*) cat "$1" ;;
    in\ *)
      local name=${2#in } prelude
      prelude=$here/preludes/${name%%,*}.$extension
      [ -f "$prelude" ] || die "$page: there is no prelude ${name%%,*} in tests/docs/preludes"
      grep -q '^ *// block$' "$prelude" || die "$prelude: has no line '// block'"
      sed -e "/^ *\/\/ block\$/{r $1" -e 'd}' "$prelude"
      ;;
    *) die "$page: unknown kind of block: $2" ;;
  esac
}

extension=cpp
if [ "$need" = c ]; then extension=c; fi
rm -rf -- "$work"
mkdir -p -- "$work"
extract
compiled=0
for block in "$work"/*.block; do
  [ -f "$block" ] || die "$page: has no C++ block"
  line=$(basename "$block" .block)
  how=$(sed -n 's/^<!-- block: \(.*\) -->$/\1/p' "$work/$line.how")
  [ -n "$how" ] || die "$page:$line: a C++ block without '<!-- block: ... -->' in the line before it"
  needs=host
  case $how in *", needs "*) needs=${how##*, needs } ;; esac
  case $needs in host | c | cuda | libtorch | mpi | nccl | nvcc) ;; *) die "$page:$line: unknown need: $needs" ;; esac
  [ "$needs" = "$need" ] || continue
  source=$work/$line.$extension
  compile=(-fsyntax-only)
  if [ "$need" = nvcc ]; then
    source=$work/$line.cu
    compile=(-c -o "$work/$line.o")
  fi
  source_of "$block" "$how" >"$source"
  case $how in
    program*) "${compiler[@]}" -O1 "$source" -o "$work/$line" -pthread && "$work/$line" ;;
    *) "${compiler[@]}" "${compile[@]}" "$source" ;;
  esac || die "$page:$line: this block does not compile, or its program fails"
  compiled=$((compiled + 1))
done
[ $compiled -gt 0 ] || die "$page: no block needs $need"
echo "$page: $compiled blocks"
