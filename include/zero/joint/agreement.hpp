// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/core.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine_member.hpp>
#include <zero/error.hpp>
#include <zero/joint/description.hpp>
#include <zero/joint/repeats.hpp>
#include <zero/joint/setup.hpp>
#include <zero/joint/world.hpp>
#include <zero/joint_config.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zero::detail {

/// What all ranks are told of the engines that are to step together, before any of them is changed.
template <class Backend>
class JointAgreement {
 public:
  /// Both are borrowed.
  JointAgreement(JointWorld<Backend>& world, JointConfig const& config) : world_(world), config_(config) {}

  /// What every rank says of itself, after a check of its own. Collective. \throws ConfigurationError, SequenceError
  /// for what cannot be on this rank, and ConfigurationError on the others then.
  [[nodiscard]] std::vector<JointRank> ranks(std::span<EngineMember<Backend> const> members) {
    JointRank mine;
    auto const texts = run_on_all_ranks<JointSetupFailure>(world_, [&] {
      check_joint_config(config_, world_.rank(), world_.size());
      mine = describe_rank(config_, world_.rank(), world_.size());
      for (std::size_t m = 0; m < members.size(); ++m) {
        expect_usable(members.first(m), members[m]);
        mine.engines.push_back(describe_member(*members[m].core_, members[m].name(), members[m].options()));
      }
      return text_of(mine);
    });
    auto ranks = read(texts);
    JointRepeats const repeats(ranks);
    if (repeats.identities().empty()) return ranks;
    find_first_ranks(repeats, mine.engines, [&](std::size_t m) {
      return exchange_words(members[m].core_->operations().collectives, static_cast<std::uint64_t>(world_.rank()))[0];
    });
    return read(RankTexts(world_, text_of(mine)));
  }

 private:
  [[nodiscard]] static std::vector<JointRank> read(RankTexts const& texts) {
    std::vector<JointRank> ranks;
    for (std::size_t r = 0; r < texts.size(); ++r) ranks.push_back(joint_rank_of(texts[r]));
    return ranks;
  }
  ZERO_OUT_OF_LINE static void expect_usable(std::span<EngineMember<Backend> const> before,
                                             EngineMember<Backend> const& member) {
    enforce(!member.name().empty(), "zero::JointStep: a member has an empty name: give each its own");
    enforce(member.lifetime_->alive,
            "zero::JointStep: the engine of a member is gone: make another member of a live one");
    for (auto const& other : before) {
      if (other.name() != member.name() && other.core_ != member.core_) continue;
      fail<ConfigurationError>({"zero::JointStep: members ", quote(other.name()), " and ", quote(member.name()),
                                other.core_ == member.core_ ? " are one engine" : " have one name",
                                ": pass each engine once, under a name of its own"});
    }
    check_member(*member.core_, member.name());
  }

  JointWorld<Backend>& world_;
  JointConfig const& config_;
};

}  // namespace zero::detail
