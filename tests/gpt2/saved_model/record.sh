#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# record.sh TEST PYTHON: renews what lies beside this script, of the model that the test program TEST (gpt2_saved_model)
# writes: the texts that transformers has read, and what it made of them, greedy.json. PYTHON has torch and transformers.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
model=$(mktemp -d)
trap 'rm -rf "$model"' EXIT
ZERO_RECORD_SAVED_MODEL=$model "$1" --test-case='*the texts beside it*' >/dev/null
"$2" "$here/../hugging_face/transformers_logits.py" text "$model" qa 62 >"$here/greedy.json"
for text in config generation_config tokenizer tokenizer_config; do cp "$model/$text.json" "$here"; done
