#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# words.sh SOURCE: no header and no page uses a name or a word that was replaced by the field's own. docs/glossary.md has
# the words that are used instead.
set -euo pipefail
cd -- "$1"

# Names and words that have no other use here. Extended regular expressions; each stands for whole words.
replaced=(
  'books' 'EngineLife' 'is_late_' 'start_late' 'bring_in_late_update' 'homes_' 'from_home_' 'at_home' '(from|at|is|to) home'
  'DeviceShare' 'holdings' 'ParameterPlace' 'UpdatePlaces' 'DecisionPlaces' 'MeetingPlace' 'HostPlace' 'CudaPlace' 'NcclPlace'
  'ends_place' 'Piece' 'Pieces' 'PieceView' 'PieceTable' 'own_pieces_' 'granules?' 'norm_granule' 'PolicyOperations' 'PolicyFacts'
  'settle_norm' 'gradients_settled' 'begin_pass' 'give_up' 'hand_over_what_is_there' 'producers_' 'abandoned_' 'sums_were_read'
  'StreamJoin' 'hold_back' 'make_words' 'add_words' 'keep_whole_below' 'live_elements' 'usual_bucket_elements'
  'on_all_ranks_or_none' 'fail_together' 'all_or_none' 'by_rank_0' 'Phrase' 'misfit' 'Meeting' 'Visit' 'Guest' 'strangers?' 'knocks?'
  'look_after' 'Hello' 'Verdict' 'deaf' 'Baton' 'baton' 'DeadlockStory' 'what_is_known' 'CallerState' 'passed_over' 'Team' 'team_threads'
  'give_back' 'refuse_[a-z_]+' 'MicroBatchPlace' 'Four' 'takes_four' 'enter_bad' 'stand-ins?' 'stand_in' 'twins?' 'rigs?' 'cliques?' 'books_test'
)
# Replaced as names only; the words are used in their ordinary sense, for example: late (a step late), place (in the place
# of), piece (of a file that is read or written), pass (forward pass), share (the device's share), part, whole, left, hear,
# tell, known, named, complete, caller, expect, arrive, store, borrow, publish (make known), reach, recorded, kept, keep,
# halve, machine, held, found, life, home (HOME), acquire (a lock), seal (of a memfd), meeting (meeting_deadline, the
# option), judge, follow, sentence, refuse, learn, join, note, clear, once, words (of 64 bits), operations, together, mark,
# guest (of a host), turn.

bad=0
for word in "${replaced[@]}"; do
  # "granule" is a member of the manifest, whose names do not change.
  if grep -rnEw --include='*.h' --include='*.hpp' --include='*.cuh' --include='*.md' -- "$word" include docs README.md |
    grep -v '"granule"'; then
    echo "the word above was replaced: $word" >&2
    bad=1
  fi
done
exit $bad
