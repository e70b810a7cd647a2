#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# shell.sh PAGE SOURCE WORK CTEST BUILD PROGRAMS IMAGES: runs the shell blocks of a page, or says why not. IMAGES is the
# program train_images, or `none`. The line before each block says what becomes of it:
#
#   <!-- shell: run -->                 runs in a copy of the source tree, with the programs of the folder PROGRAMS
#   <!-- shell: run with NEEDS -->      the same, where there are NEEDS: NEED, or NEED and NEED. matplotlib, numpy: the Python
#                                       that ZERO_TEST_PYTHON names has it; train_images: it was built
#   <!-- shell: tested by TEST -->      what it does is what the test TEST of BUILD does
#   <!-- shell: needs SOMETHING -->     hardware, other machines, or something else that a test has not got
#
# The blocks of a page share a checkout. A block without such a line is an error. train_gpt2 runs with a small model and a
# few steps, whatever the block says. A block with train_images runs with small sizes, on pictures that are made here; pip
# installs nothing.
set -euo pipefail
page=$1 source=$2 work=$3 ctest=$4 build=$5 programs=$6 images=$7

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Writes each block to WORK/<line>.sh and the line before it to WORK/<line>.how; <line> has six digits.
extract() {
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
    { previous = $0 }' "$source/$page"
}

# missing_of NEEDS: the first that is not there; nothing where all are.
missing_of() {
  local need
  for need in ${1// and / }; do
    case $need in
      matplotlib | numpy)
        has_package "$need" && continue
        # CI's Python has it; another one may lack it, and a run of these tests without one says so.
        [ -z "${ZERO_TEST_PYTHON:-}" ] || die "$ZERO_TEST_PYTHON has no $need: tests/requirements.txt"
        ;;
      train_images) if [ "$images" != none ]; then continue; fi ;;
      *) die "unknown need: $need" ;;
    esac
    echo "$need"
    return
  done
}

has_package() { "${ZERO_TEST_PYTHON:-python3}" -c "import $1" 2>/dev/null; }

# What a checkout holds, so that no block changes this source tree; and the programs, as they are installed.
prepare() {
  mkdir -p "$work/checkout" "$work/bin" "$work/home"
  cp -R "$source"/{CMakeLists.txt,CMakePresets.json,LICENSE,README.md,cmake,include,src,examples,tools,docs,scripts} "$work/checkout"
  local program
  for program in "$programs"/zero-*; do ln -s "$program" "$work/bin/$(basename "$program")"; done
  local python=${ZERO_TEST_PYTHON:-$(type -P python3 || true)}
  if [ -n "$python" ]; then # a link would not find the packages beside it
    cat >"$work/bin/python3" <<END
#!/bin/sh
if [ "\$1 \$2" = "-m pip" ]; then echo "not run: python3 \$*" && exit 0; fi
PYTHONPATH="$work/packages\${PYTHONPATH:+:\$PYTHONPATH}" exec "$python" "\$@"
END
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

# What the blocks with train_images train on: digits where scikit-learn is absent, pictures by class, and CIFAR's files.
prepare_images() {
  ln -s "$images" "$work/bin/train_images"
  mkdir -p "$work/packages"
  if ! has_package sklearn; then
    mkdir "$work/packages/sklearn"
    touch "$work/packages/sklearn/__init__.py"
    cat >"$work/packages/sklearn/datasets.py" <<END
class Digits:
    target = [number % 2 for number in range(150)]
    images = [[[(x if digit else y) + number % 9 for x in range(8)] for y in range(8)] for number, digit in enumerate(target)]


def load_digits():
    return Digits
END
  fi
  (cd "$work/checkout" && "$work/bin/python3" -B - <<END)
import os, sys
sys.path.insert(0, "examples/images")
from digits import grey_png
for number in range(40):
    folder = os.path.join("animals", "cat" if number % 2 else "dog")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{number}.png"), "wb") as file:
        file.write(grey_png([bytes((x * y + 5 * number) % 256 for x in range(14)) for y in range(12)]))
os.makedirs("cifar-10-batches-bin")
with open("cifar-10-batches-bin/batches.meta.txt", "w") as file:
    file.writelines(f"class {number}\n" for number in range(10))
for part in [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]:
    with open(f"cifar-10-batches-bin/{part}.bin", "wb") as file:
        for number in range(20):
            file.write(bytes([number % 10]) + bytes(at * (number % 10 + 1) % 256 for at in range(3072)))
END
}

# small BLOCK: its lines with small sizes, where it has train_images.
small() {
  sed -E -e 's/--epochs [0-9]+/--epochs 1/' -e 's/--batch [0-9]+/--batch 4/' -e 's/--batches [0-9,]+/--batches 4/' \
    -e 's/--cards [0-9,]+/--cards 0.4 --settings plain/' \
    -e 's/--image-size 224 //' -e 's/--data animals/& --image-size 32/' -e 's/--model resnet18/& --base-width 4/' -e 's/--model mlp/& --hidden 8/' "$1"
}

run_block() {
  (cd "$work/checkout" && HOME=$work/home PATH=$work/bin:$PATH bash -euo pipefail "$1" >"$work/log" 2>&1) ||
    { cat "$work/log"; die "$page:$line: this block fails"; }
  ran=$((ran + 1))
}

has_test() { "$ctest" --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests" && grep -qx "$1" "$work/tests"; }

rm -rf -- "$work"
mkdir -p -- "$work"
prepare
if [ "$images" != none ]; then prepare_images; fi
extract
blocks=0 ran=0
for block in "$work"/*.sh; do
  [ -f "$block" ] || die "$page: has no shell block"
  how=$(sed -n 's/^<!-- shell: \(.*\) -->$/\1/p' "${block%.sh}.how")
  line=$((10#$(basename "$block" .sh)))
  blocks=$((blocks + 1))
  case $how in
    run) run_block "$block" ;;
    "run with "*)
      missing=$(missing_of "${how#run with }") || die "$page:$line: this block cannot run"
      if [ -n "$missing" ]; then
        echo "$page:$line: not run: there is no $missing"
        continue
      fi
      case $how in *train_images*) small "$block" >"$work/small" && block=$work/small ;; esac
      run_block "$block"
      ;;
    "tested by "*) has_test "${how#tested by }" || die "$page:$line: there is no test ${how#tested by }" ;;
    "needs "*) echo "$page:$line: not run: it $how" ;;
    *) die "$page:$line: a shell block without '<!-- shell: ... -->' in the line before it" ;;
  esac
done
echo "$page: $ran of $blocks blocks were run"
