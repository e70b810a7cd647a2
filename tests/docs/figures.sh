#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# figures.sh ZERO_PLAN PAGE [--update]: the figures of a page are what zero-plan prints now. Checks, or rewrites with
# --update, what lies between two kinds of comments and their `<!-- end -->`:
#
#   <!-- output of: zero-plan ARGUMENTS -->    the tool's output, as a block
#   <!-- savings of: zero-plan ARGUMENTS -->   per cent of the device memory of stage 0, as rows of a table
#   <!-- cards of: MODEL... / MEMORY... / RANKS -->   for each model, card and number of ranks, which setting fits and sends least
#                                              of those that do, with a quarter of the memory left to activations
#   <!-- components of: zero-plan ARGUMENTS / GB... / GB... -->  what takes a rank's memory at stages 0 and 2, beside guides'
#                                              figures of both: parameters, gradients, states, activations, rest
set -euo pipefail
plan=$1 page=$2 update=${3:-}

output() {
  printf '```\n'
  # The arguments are words of this repository's own pages.
  # shellcheck disable=SC2086
  "$plan" $1
  printf '```\n'
}

# One row for each number of ranks, one column for each stage from 1 on: 100 (1 - device total / that of stage 0).
savings() {
  printf '| ranks | stage 1 | stage 2 | stage 3 |\n| ---: | ---: | ---: | ---: |\n'
  # shellcheck disable=SC2086
  "$plan" $1 | awk '
    $1 ~ /^[0-9]+$/ && $3 == "none" {
      if ($2 == 0) { whole = $5; row = "| " $1; next }
      row = row sprintf(" | %.1f %%", 100 * (1 - $5 / whole))
      if ($2 == 3) print row " |"
    }'
}

# cards MODEL... / MEMORY... / RANKS: MEMORY in GB, RANKS as --ranks takes them.
cards() {
  local models=${1%% / *} rest=${1#* / } world model memory line
  local memories=${rest%% / *} ranks=${rest#* / }
  printf '| model | card |'
  for world in ${ranks//,/ }; do printf ' %s %s |' "$world" "$([ "$world" = 1 ] && echo rank || echo ranks)"; done
  printf '\n| --- | ---: |'
  for world in ${ranks//,/ }; do printf ' --- |'; done
  printf '\n'
  for model in $models; do
    for memory in $memories; do
      line=$("$plan" --model "$model" --ranks "$ranks" --memory "${memory}GB" --activations "$((memory * 1000 / 4))MB" |
        awk '
          $1 ~ /^[0-9]+$/ && ($3 == "none" || $3 == "cpu") {
            if ($1 != world) { if (world != "") print_row(); world = $1; found = "nothing" }
            if ($NF == "least") found = "stage " $2 ($3 == "cpu" ? ", offload" : "") ": " $5 " GB"
          }
          END { print_row() }
          function print_row() { printf " %s |", found }') || [ -n "$line" ] || exit 1
      # shellcheck disable=SC2016 # backticks of Markdown
      printf '| `%s` | %s GB |%s\n' "$model" "$memory" "$line"
    done
  done
}

# components ARGUMENTS / FIGURES OF STAGE 0 / FIGURES OF STAGE 2, without offload
components() {
  local arguments=${1%% / *} others=${1#* / } stage sizes=()
  for stage in 0 2; do
    # shellcheck disable=SC2086
    sizes+=("$("$plan" $arguments --stage $stage --offload none --json - |
      sed 's/.*"memory_bytes"://; s/"traffic_elements".*"micro_batch"//; s/[{,]/\n/g' |
      awk '
        { gsub(/["}]/, ""); split($0, pair, ":"); size[pair[1]] = pair[2] }
        END {
          parameters = size["parameters"] + size["gathered"]
          gradients = size["gradients"] + size["gradient slots"] + size["gradient sums"] + size["local sums"]
          states = size["master"] + size["states"]
          rest = size["device_bytes"] - parameters - gradients - states - size["activation_bytes"]
          print parameters, gradients, states, size["activation_bytes"], rest, size["device_bytes"]
        }')")
  done
  printf '| GB of a rank | guides, without ZeRO | here, stage 0 | guides, stage 2 | here, stage 2 |\n| --- | ---: | ---: | ---: | ---: |\n'
  printf '%s\n%s\n%s\n%s\n' "${others%% / *}" "${others#* / }" "${sizes[@]}" | awk '
    { for (i = 1; i <= 6; ++i) cell[NR, i] = $i; if (NR <= 2) for (i = 1; i <= 5; ++i) cell[NR, 6] += $i }
    END {
      split("parameters,gradients,optimizer states,activations,rest,**all**", name, ",")
      for (i = 1; i <= 6; ++i)
        printf "| %s | %s | %.4g | %s | %.4g |\n", name[i], cell[1, i], cell[3, i] / 1e9, cell[2, i], cell[4, i] / 1e9
    }'
}

fresh() {
  local line skipping=
  while IFS= read -r line; do
    if [ "$line" = "<!-- end -->" ]; then skipping=; fi
    [ -n "$skipping" ] || printf '%s\n' "$line"
    case $line in
      "<!-- output of: zero-plan "*) line=${line#*zero-plan } && output "${line%" -->"}" ;;
      "<!-- savings of: zero-plan "*) line=${line#*zero-plan } && savings "${line%" -->"}" ;;
      "<!-- cards of: "*) line=${line#*of: } && cards "${line%" -->"}" ;;
      "<!-- components of: zero-plan "*) line=${line#*zero-plan } && components "${line%" -->"}" ;;
      *) continue ;;
    esac
    skipping=yes
  done <"$page"
}

grep -q '^<!-- \(output\|savings\|cards\|components\) of: ' "$page" || { echo "$page: has no figures" >&2; exit 1; }
text=$(fresh)
if [ "$update" = --update ]; then printf '%s\n' "$text" >"$page"; fi
diff -u --label "$page" --label "what zero-plan prints" "$page" - <<<"$text" ||
  { echo "Write it anew with: tests/docs/figures.sh <zero-plan> $page --update" >&2; exit 1; }
