#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# benchmarks/compare/run.sh BUILD_FOLDER [--json FILE] [--data FILE] [--threads N] [--quick]
#
# Measures PyTorch and DeepSpeed on this machine. All that it installs and writes lies in BUILD_FOLDER (about 6 GB); the
# results are in BUILD_FOLDER/peers.jsonl. --json: what `benchmarks/run.sh --json FILE` wrote, for a table of both.
# --data: a text that the small GPT-2 trains on, instead of random tokens. --quick: three steps, to see that all works.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../scripts/dependencies.sh"

usage() { die "usage: benchmarks/compare/run.sh BUILD_FOLDER [--json FILE] [--data FILE] [--threads N] [--quick]"; }

parse_arguments() {
  build="" json="" data="" threads=2 quick=""
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -e -- "${2:?--json needs a file}") && shift 2 ;;
      --data) data=$(realpath -e -- "${2:?--data needs a file}") && shift 2 ;;
      --threads) threads=${2:?--threads needs a number} && shift 2 ;;
      --quick) quick=yes && shift ;;
      -*) usage ;;
      *) [ -z "$build" ] || usage; build=$1 && shift ;;
    esac
  done
  [ -n "$build" ] || usage
  mkdir -p "$build"
  build=$(realpath -- "$build")
}

# torch first and by itself: DeepSpeed's setup imports it. Without DeepSpeed the comparison goes on.
install_peers() {
  has_command python3 || die "Missing: python3, with its venv module and headers (Debian: python3-venv python3-dev)."
  [ -x "$python" ] || python3 -m venv "$build/venv"
  local pip=("$python" -m pip --disable-pip-version-check install --quiet)
  say "installing PyTorch and DeepSpeed into $build/venv"
  "${pip[@]}" torch numpy ninja packaging setuptools wheel
  "${pip[@]}" --no-build-isolation deepspeed >"$build/deepspeed.log" 2>&1 ||
    say "DeepSpeed could not be installed: $(tail -n 1 "$build/deepspeed.log")"
}

# Runs one script; when it fails, its last line is the reason, and the others still run.
measure() {
  say "$*"
  "$python" "$here/$1" "${@:2}" --threads "$threads" >>"$results" 2>"$build/error.log" ||
    say "no result: $(tail -n 1 "$build/error.log")"
}

main() {
  parse_arguments "$@"
  python="$build/venv/bin/python" results="$build/peers.jsonl"
  export PYTHONDONTWRITEBYTECODE=1 PATH="$build/venv/bin:$PATH"
  export TORCH_EXTENSIONS_DIR="$build/extensions" TORCHINDUCTOR_CACHE_DIR="$build/inductor"
  install_peers
  "$python" -m pip list --format=freeze | grep -iE '^(torch|deepspeed|ninja|numpy)=='
  "$python" --version
  say "compiler of DeepSpeed's kernel and of torch.compile: $("$(compiler)" --version | head -n 1)"

  local small=() large=() optimizer=()
  [ -z "$data" ] || small+=(--data "$data")
  [ -z "$quick" ] || { small+=(--steps 3 --warmup 1) large+=(--steps 3 --warmup 1) optimizer+=(--rounds 3); }
  : >"$results"
  measure gpt2.py small "${small[@]}"
  measure gpt2.py small "${small[@]}" --compile
  measure gpt2.py gpt2_124m "${large[@]}"
  measure gpt2.py gpt2_124m "${large[@]}" --compile
  measure optimizer_step.py "${optimizer[@]}"
  [ ! -s "$results" ] || "$python" "$here/table.py" "$results" ${json:+--json "$json"}
}

main "$@"
