#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/gpu_check.sh [--build] [--test] [--sanitize] [--bench] [-D<name>=<value> for CMake...]
#
# Builds, tests, sanitizes and measures the CUDA side on a machine with a GPU and the CUDA toolkit; all four where none
# is named. Each stage takes less than ten minutes, and goes on from the build in build/gpu. Needs no network: give
# doctest, Google Benchmark and NCCL by path where they are not installed, e.g.
#
#   scripts/gpu_check.sh -DCMAKE_PREFIX_PATH=/opt/tools -DNCCL_ROOT=.../site-packages/nvidia/nccl
#
# With -DLIBTORCH_ROOT=.../site-packages/torch, a torch with CUDA, the tests train image classifiers, too.
#
# The benchmarks' figures go to benchmarks/results/<GPU>.json (RESULTS=<folder> puts them elsewhere), together with what
# GPU, driver and versions gave them; REVISION says which, where the sources are not under git.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh
build=build/gpu
results=${RESULTS:-benchmarks/results}

require_gpu() {
  has_command nvidia-smi || die "nvidia-smi was not found: this needs a machine with an NVIDIA GPU and its driver"
  gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
  driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
  [ -n "$gpu" ] || die "nvidia-smi shows no GPU"
  nvcc=$(nvcc_path) || die "nvcc was not found: install the CUDA toolkit, or add its bin folder to PATH"
  export CUDACXX=$nvcc ZERO_REQUIRE_GPU=1
  say "GPU: $gpu, driver $driver; $("$nvcc" --version | grep release)"
}

build_all() {
  local capability
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
  choose_generator
  cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DZERO_BUILD_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$capability-real" \
    -DCMAKE_REQUIRE_FIND_PACKAGE_doctest=ON -DCMAKE_REQUIRE_FIND_PACKAGE_benchmark=ON "$@"
  cmake --build "$build" --parallel "$(processors)" --target zero_gpu_tests zero_gpu_benchmarks
}

run_tests() { ctest --test-dir "$build" --label-regex '^gpu$' --output-on-failure --no-tests=error; }

# sanitize <tool> <program> <argument...>: API errors are what some tests are about.
sanitize() {
  local tool=$1
  shift
  say "compute-sanitizer $tool: $(basename "$1")"
  compute-sanitizer --tool "$tool" --report-api-errors no --error-exitcode 1 --print-limit 10 "$@"
}

run_sanitizers() {
  local tests=$build/tests/cuda
  if ! has_command compute-sanitizer; then
    say "not run: compute-sanitizer was not found"
    return
  fi
  if ! compute-sanitizer --tool memcheck "$tests/zero_cuda_kernels_test" -tc='*words*' >/dev/null 2>&1; then
    say "not run: compute-sanitizer does not support this device"
    return
  fi
  sanitize memcheck "$tests/zero_cuda_kernels_test"
  sanitize racecheck "$tests/zero_cuda_kernels_test" -tc='*norm*'
  sanitize initcheck "$tests/zero_cuda_kernels_test"
  sanitize memcheck "$tests/zero_cuda_engine_test" --source-file='*capture_test.cu'
  sanitize initcheck "$tests/zero_cuda_engine_test" --source-file='*capture_test.cu'
}

context() {
  printf -- '--benchmark_context=%s=%s\n' gpu "$gpu" driver "$driver" \
    cuda "$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')" \
    revision "${REVISION:-$(git describe --always --dirty 2>/dev/null || echo unknown)}"
}

run_benchmarks() {
  local program out options outputs=()
  mapfile -t options < <(context)
  for program in "$build"/benchmarks/cuda/bin/*; do
    out="$build/$(basename "$program").json"
    "$program" "${options[@]}" --benchmark_out="$out" --benchmark_out_format=json
    outputs+=("$out")
  done
  mkdir -p "$results"
  cmake -P benchmarks/merge.cmake "$results/$(tr -c 'A-Za-z0-9\n' '-' <<<"$gpu").json" "${outputs[@]}"
  if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    python3 benchmarks/compare/cuda_adamw.py | tee "$results/$(tr -c 'A-Za-z0-9\n' '-' <<<"$gpu")-pytorch.json"
  else
    say "not run: the comparison with PyTorch, which python3 does not have with CUDA"
  fi
}

main() {
  local stages=() settings=() stage
  for argument in "$@"; do
    case $argument in
      --build | --test | --sanitize | --bench) stages+=("$argument") ;;
      -D*) settings+=("$argument") ;;
      *) die "usage: scripts/gpu_check.sh [--build] [--test] [--sanitize] [--bench] [-D<name>=<value>...]" ;;
    esac
  done
  [ ${#stages[@]} -gt 0 ] || stages=(--build --test --sanitize --bench)
  require_gpu
  for stage in "${stages[@]}"; do
    say "${stage#--}"
    case $stage in
      --build) build_all ${settings[@]+"${settings[@]}"} ;;
      --test) run_tests ;;
      --sanitize) run_sanitizers ;;
      --bench) run_benchmarks ;;
    esac
  done
}

main "$@"
