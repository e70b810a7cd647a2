#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/quickstart.sh [option of train_gpt2...]
#
# Builds the GPT-2 trainer and trains a small model with two ranks in one process and ZeRO-2, on the text of this
# machine's C++ standard library headers, within a few minutes. Saves it, and says what can be done with it. Needs a
# compiler, CMake and a build tool; takes OpenBLAS where it is, and the GPU where there are one and a CUDA toolkit. The
# settings are only defaults: an option takes the place of the one of its name.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build="$repository/build/quickstart"
train="$build/examples/gpt2/train_gpt2"

# Builds nothing, and needs nothing.
for argument; do
  case $argument in
    -h | --help)
      sed -n '/^# scripts\/quickstart.sh/,/^set/{s/^# \{0,1\}//p;}' "$0"
      echo
      if [ -x "$train" ]; then exec "$train" --help; fi
      echo "docs/programs.md lists the options of train_gpt2, and so does this once train_gpt2 is built."
      exit 0
      ;;
  esac
done

source "$repository/scripts/dependencies.sh"

need g++ has_compiler
need cmake has_command cmake
need make has_build_tool
install_missing
choose_generator

# Whether the option $1 is among the other arguments.
gives() {
  local option=$1 argument
  shift
  for argument; do
    case $argument in "$option" | "$option="*) return 0 ;; esac
  done
  return 1
}

# Without a GPU its code is not built either, which takes longer than all the rest.
settings=(-DZERO_BUILD_CUDA=OFF)
run="$build/runs/$(date +%Y%m%d-%H%M%S)"
defaults=(--ranks 2 --stage 2 --iterations 500 --eval-interval 100 --checkpoint-dir "$run")
if ! has_gpu; then
  say "no GPU (nvidia-smi -L shows none): training on the CPU"
elif ! has_cublas; then
  say "a GPU, but no CUDA toolkit with cuBLAS (nvcc in PATH or in /usr/local/cuda/bin): training on the CPU"
else
  say "training on the GPU: $(nvidia-smi -L | head -n 1), with $(nvcc_path)"
  settings=(-DZERO_BUILD_CUDA=ON "-DCMAKE_CUDA_COMPILER=$(nvcc_path)" -DCMAKE_CUDA_ARCHITECTURES=native)
  defaults=(--device cuda "${defaults[@]}")
fi

# One process: the engines over MPI would be compiled for nothing.
say "building train_gpt2 in $build"
cmake -S "$repository" -B "$build" -DCMAKE_BUILD_TYPE=Release -DZERO_BUILD_TESTS=OFF -DZERO_BUILD_BENCHMARKS=OFF \
  -DZERO_EXAMPLES_MPI=OFF "${settings[@]}"
cmake --build "$build" --target train_gpt2 --parallel "$(processors)"

# No option may be given twice.
options=()
for ((i = 0; i < ${#defaults[@]}; i += 2)); do
  gives "${defaults[i]}" "$@" || options+=("${defaults[@]:i:2}")
done
options+=("$@")
gives --checkpoint-dir "$@" || mkdir -p "$build/runs"

say "training a small GPT-2"
code=0
"$train" "${options[@]}" || code=$?
if [ $code -ne 0 ] && [ $code -ne 3 ]; then exit $code; fi

# The same run, further on.
further=()
skip=
for option in "${options[@]}"; do
  if [ -n "$skip" ]; then skip= && continue; fi
  case $option in
    --iterations | --resume) skip=yes ;;
    --iterations=* | --resume=*) ;;
    *) further+=("$option") ;;
  esac
done
say "what you can do next"
printf '  train on:               %s' "$train"
printf ' %q' "${further[@]}" --iterations 1000 --resume auto
printf '\n'
cat <<END
  train on your text:     scripts/quickstart.sh --data FILE
  other settings:         scripts/quickstart.sh --help
  all programs:           docs/install.md says how to build zero-tokenize, generate_gpt2, zero-plan and the others
  your own training loop: README.md, "Adopt it in thirty lines"
END
exit $code
