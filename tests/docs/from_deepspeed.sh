#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# from_deepspeed.sh PAGE TRAIN_GPT2: the page for users of DeepSpeed has a row for each flag of its launcher, for each argument
# of its functions that save and load, and for each of its files, in every version from 0.7.0 to 0.19.8; options of this project
# that the page names exist, and flags of guides lead to them.
#
# Backticks are of Markdown.
# shellcheck disable=SC2016
set -euo pipefail
page=$1 program=$2

# rows NAME: the first cells of the table behind <!-- NAME -->
rows() { sed -n "/^<!-- $1 -->\$/,/^<!-- end -->\$/s/^| \([^|]*\) |.*/\1/p" "$page"; }
missing=()

# expect TABLE WORD...
expect() {
  local table=$1 cells word
  cells=$(rows "$table")
  shift
  for word; do grep -qE -- "\`$word( [^\`]*)?\`" <<<"$cells" || missing+=("$table: $word"); done
}

expect launcher --autotuning --bind_core_list --bind_cores_to_rank --elastic_training --enable_each_rank_log --exclude \
  --force_multi --hostfile --include --launcher --launcher_args --log_level --master_addr --master_port --max_elastic_nodes \
  --min_elastic_nodes --module --no_local_rank --no_python --no_ssh --no_ssh_check --node_rank --num_accelerators --num_gpus \
  --num_nodes --quiet --save_pid --ssh_port --venv_script -H -e -i -q
expect save_checkpoint save_dir tag client_state save_latest exclude_frozen_parameters
expect load_checkpoint load_dir tag load_module_strict load_optimizer_states load_lr_scheduler_states load_module_only \
  custom_load_fn
expect files latest global_step20/ mp_rank_00_model_states.pt zero_pp_rank_0_mp_rank_00_model_states.pt \
  zero_pp_rank_0_mp_rank_00_optim_states.pt zero_to_fp32.py latest_universal
[ ${#missing[@]} -eq 0 ] || { printf 'no row for %s\n' "${missing[@]}" >&2; exit 1; }

# Options in the second column of `commands`, `save_checkpoint` and `load_checkpoint` that stand alone are train_gpt2's.
help=$("$program" --help)
unknown=()
checked=0
for table in commands save_checkpoint load_checkpoint; do
  while IFS= read -r option; do
    checked=$((checked + 1))
    grep -qE -- "^  $option( |\$)" <<<"$help" || unknown+=("$option")
  done < <(sed -n "/^<!-- $table -->\$/,/^<!-- end -->\$/s/^| [^|]* |\(.*\)/\1/p" "$page" | grep -oE '`--[a-z-]+' | tr -d '`' |
    sort -u)
done
[ $checked -gt 20 ] || { echo "$page: only $checked options were found" >&2; exit 1; }
[ ${#unknown[@]} -eq 0 ] || { printf 'train_gpt2 has no %s\n' "${unknown[@]}" >&2; exit 1; }

# Flags of guides' own scripts: train_gpt2 names the option that stands beside them.
wrong=()
tried=0
while IFS= read -r row; do
  for flag in $(cut -d'|' -f2 <<<"$row" | grep -oE '`--[a-z_0-9]+' | tr -d '`'); do
    meant=$("$program" "$flag" 2>&1 | sed -n 's/.*did you mean \(--[a-z-]*\).*/\1/p') || true
    tried=$((tried + 1))
    [ -n "$meant" ] && grep -qE -- "\`$meant( [^\`]*)?\`" <<<"$(cut -d'|' -f3 <<<"$row")" || wrong+=("$flag: ${meant:-nothing}")
  done
done < <(sed -n '/^<!-- commands -->$/,/^<!-- end -->$/p' "$page" | grep '^| `--')
[ $tried -gt 15 ] || { echo "$page: only $tried flags were found" >&2; exit 1; }
[ ${#wrong[@]} -eq 0 ] || { printf 'train_gpt2 does not mean what the page says by %s\n' "${wrong[@]}" >&2; exit 1; }
echo "$checked options are there, and $tried flags lead to them"
