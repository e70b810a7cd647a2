#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# shell.sh SOURCE WORK TESTS PROGRAMS PAGE...: runs the shell blocks of the pages, or says why not. The line before each
# block says what becomes of it:
#
#   <!-- shell: run -->                 runs in a copy of the source tree, with the programs of the folder PROGRAMS
#   <!-- shell: run with PACKAGE -->    the same, where the Python that ZERO_TEST_PYTHON names has matplotlib or numpy
#   <!-- shell: tested by TEST -->      what it does is what the test TEST does; a name of the file TESTS
#   <!-- shell: needs SOMETHING -->     hardware, other machines, or something else that a test has not got
#
# A block without such a line is an error. train_gpt2 runs with a small model and a few steps, whatever the block says.
set -euo pipefail
source=$1 work=$2 tests=$3 programs=$4
shift 4

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# extract PAGE: writes each block to WORK/<line>.sh and the line before it to WORK/<line>.how; <line> has six digits.
extract() {
  rm -f "$work"/*.sh "$work"/*.how
  awk -v work="$work" '
    inside && /^```/ { inside = 0; close(file); next }
    inside { print > file; next }
    /^```(sh|bash|shell|console)$/ {
      file = sprintf("%s/%06d", work, NR) # so that the order of names is that of the page
      print previous > (file ".how")
      file = file ".sh"
      printf "" > file
      inside = 1
    }
    { previous = $0 }' "$1"
}

has_package() { "${ZERO_TEST_PYTHON:-python3}" -c "import $1" 2>/dev/null; }

# A copy of what a checkout holds, so that no block changes this one; and the programs, as they are installed.
prepare() {
  mkdir -p "$work/checkout" "$work/bin" "$work/home"
  cp -R "$source"/{CMakeLists.txt,CMakePresets.json,LICENSE,README.md,cmake,include,src,examples,tools,docs,scripts} "$work/checkout"
  local program
  for program in "$programs"/zero-*; do ln -s "$program" "$work/bin/$(basename "$program")"; done
  if [ -n "${ZERO_TEST_PYTHON:-}" ]; then # a link would not find the packages beside it
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$ZERO_TEST_PYTHON" >"$work/bin/python3"
    chmod +x "$work/bin/python3"
  fi
  ln -s "$programs/generate_gpt2" "$work/bin/generate_gpt2"
  cat >"$work/bin/train_gpt2" <<END
#!/usr/bin/env bash
arguments=()
while [ \$# -gt 0 ]; do
  case \$1 in # no option may be given twice
    --iterations | --save-interval | --eval-interval | --layers | --heads | --width | --context | --batch | --sample | \
      --eval-batches | --threads) shift 2 ;;
    *) arguments+=("\$1") && shift ;;
  esac
done
case " \${arguments[*]} " in *" --checkpoint-dir "*) arguments+=(--save-interval 2) ;; esac
exec "$programs/train_gpt2" "\${arguments[@]}" --iterations 4 --eval-interval 4 --eval-batches 1 \
  --layers 1 --heads 2 --width 16 --context 16 --batch 1 --threads 1 --sample 0
END
  chmod +x "$work/bin/train_gpt2"
}

run_block() {
  (cd "$work/checkout" && HOME=$work/home PATH=$work/bin:$PATH bash -euo pipefail "$1" >"$work/log" 2>&1) ||
    { cat "$work/log"; return 1; }
}

rm -rf -- "$work"
mkdir -p -- "$work"
prepare
ran=0
for page in "$@"; do
  extract "$source/$page"
  for block in "$work"/*.sh; do
    [ -f "$block" ] || continue
    how=$(sed -n 's/^<!-- shell: \(.*\) -->$/\1/p' "${block%.sh}.how")
    line=$((10#$(basename "$block" .sh)))
    case $how in
      "run with matplotlib" | "run with numpy")
        # CI's Python has it; another one may lack it, and a run of these tests without one says so.
        package=${how#run with }
        if ! has_package "$package"; then
          [ -z "${ZERO_TEST_PYTHON:-}" ] || die "$page:$line: $ZERO_TEST_PYTHON has no $package: tests/requirements.txt"
          echo "$page:$line: not run: python3 has no $package"
          continue
        fi
        run_block "$block" || die "$page:$line: this block fails"
        ran=$((ran + 1))
        ;;
      run)
        run_block "$block" || die "$page:$line: this block fails"
        ran=$((ran + 1))
        ;;
      "tested by "*)
        grep -qx "${how#tested by }" "$tests" || die "$page:$line: there is no test ${how#tested by }"
        ;;
      "needs "*) echo "$page:$line: not run: it $how" ;;
      *) die "$page:$line: a shell block without '<!-- shell: ... -->' in the line before it" ;;
    esac
  done
done
[ $ran -gt 0 ] || die "no block was run"
echo "$ran blocks were run"
