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
# A block without such a line is an error. Reading torch takes a compiler most of the time: blocks that need libtorch are
# one program, where the main of each is a function of its own that returns nothing.
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

# together LINE...: one program out of WORK/<line>.cpp, which is run. Writes WORK/all.cpp.
together() {
  local line
  for line in "$@"; do
    sed -i "s/^int main() {\$/static void block_$line() {/" "$work/$line.cpp"
    printf '#include "%s.cpp"\n' "$line"
  done >"$work/all.cpp"
  {
    echo 'int main() {'
    for line in "$@"; do
      if grep -q "^static void block_$line() {\$" "$work/$line.cpp"; then echo "  block_$line();"; fi
    done
    echo '}'
  } >>"$work/all.cpp"
  "${compiler[@]}" -O0 "$work/all.cpp" -o "$work/all" -pthread && "$work/all"
}

extension=cpp
if [ "$need" = c ]; then extension=c; fi
rm -rf -- "$work"
mkdir -p -- "$work"
extract
compiled=0
lines=() # of blocks that are compiled together
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
  compiled=$((compiled + 1))
  if [ "$need" = libtorch ]; then
    if [[ $how = program* ]] && ! grep -qx 'int main() {' "$source"; then
      die "$page:$line: a program that needs libtorch has a line 'int main() {'"
    fi
    lines+=("$line")
    continue
  fi
  case $how in
    program*) "${compiler[@]}" -O0 "$source" -o "$work/$line" -pthread && "$work/$line" ;;
    *) "${compiler[@]}" "${compile[@]}" "$source" ;;
  esac || die "$page:$line: this block does not compile, or its program fails"
done
[ $compiled -gt 0 ] || die "$page: no block needs $need"
if [ ${#lines[@]} -gt 0 ]; then
  together "${lines[@]}" || die "$page: a block in one of the lines ${lines[*]} does not compile, or its program fails"
fi
echo "$page: $compiled blocks"
