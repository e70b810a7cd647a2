// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/engine/observation.hpp>
#include <zero/joint/members.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint/world.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace zero::detail {

/// The words that all members add their squares to, and that one all-reduce over the world settles a step by.
template <class Backend>
class JointNorm {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;

  /// All are borrowed. \p number is an engine's, of the collective.
  JointNorm(JointWorld<Backend>& world, JointPlan const& plan, JointMembers<Backend>& members, std::uint64_t number)
      : world_(world), plan_(plan), members_(members), number_(number) {}

  /// Once all members have been added. Blocks.
  void allocate() {
    auto& parts = members_.lead_parts();
    auto const& entries = plan_.entries();
    words_ = {parts.backend, parts.memory_report, MemoryKind::device, MemoryPurpose::control,
              ExactSum::words + entries.size()};
    bool const repeats = std::any_of(members_.begin(), members_.end(), [](auto const& m) { return m.repeats; });
    apart_ = {parts.backend, parts.memory_report, MemoryKind::device, MemoryPurpose::control,
              repeats ? words_.size() : 0};
    entries_ = {parts.backend, parts.memory_report, MemoryKind::device, MemoryPurpose::control, entries.size()};
    auto const stream = parts.communication.get();
    (parts.backend.copy)(entries_.data(), entries.data(), entries.size() * sizeof(NormEntry), stream);
    parts.backend.synchronize(stream);
  }
  /// Nothing uses them any more.
  void release() noexcept {
    words_ = {};
    apart_ = {};
    entries_ = {};
  }
  /// Member \p m adds its squares here from now on, and decides by them.
  void enter(std::size_t m, std::shared_ptr<JointNames const> const& names, std::uint64_t max_skipped_steps) {
    auto& member = members_[m];
    member.parts().norm.enter_joint(words(member.entry, member.repeats ? apart_ : words_));
    member.parts().decider.enter_joint(members_.lead_parts().decider, entries_.data(), names, max_skipped_steps);
  }

  void zero() {
    members_.take_turn(members_.lead());
    auto& parts = members_.lead_parts();
    for (auto const* words : {&words_, &apart_}) {
      if (words->size() == 0) continue;
      parts.backend.zero(words->data(), words->size() * sizeof(std::uint64_t), parts.communication.get());
    }
  }
  /// \p stream waits for the sum over the world.
  void all_reduce(Observation<Stream> const* observation, Stream stream) {
    for (std::size_t m = 0; m < members_.size(); ++m) {
      members_.take_turn(m);
      send(members_[m]);
    }
    members_.take_turn(members_.lead());
    auto& parts = members_.lead_parts();
    auto const communication = parts.communication.get();
    auto const mine = words(static_cast<std::size_t>(world_.rank()), words_);
    (parts.backend.copy)(mine.agreement(), parts.decider.world_agreement(), sizeof(std::uint32_t), communication);
    {
      OperationScope const call(observation,
                                profile::Operation{.phase = profile::Phase::reduce,
                                                   .name = "all_reduce",
                                                   .purpose = "gradient norm",
                                                   .bytes = words_.size() * sizeof(std::uint64_t),
                                                   .ranks = world_.size()},
                                communication);
      world_.all_reduce(words_.data(), words_.size(), {.what = "gradient norm", .engine = number_}, communication);
    }
    ++parts.traffic.collectives;
    parts.traffic.control_words += words_.size();
    parts.backend.record(ready_, communication);
    parts.backend.wait(stream, ready_);
  }
  /// The decision of member \p m, from the mean over \p micro_batches.
  void decide(std::size_t m, double micro_batches, Stream stream) {
    members_[m].parts().decider.decide(words(members_[m].entry, words_), micro_batches, stream);
  }

 private:
  // What a member says beside its squares.
  void send(JointMember<Backend>& member) {
    auto& parts = member.parts();
    auto const communication = parts.communication.get();
    parts.decider.send_settings(communication);
    auto const shared = words(member.entry, words_);
    if (member.repeats) {  // what it found bad counts; its squares do not
      (parts.backend.copy)(shared.bad_parameters() + shared.rank, parts.norm.words().bad_parameters() + shared.rank,
                           sizeof(std::uint64_t), communication);
    }
    (parts.backend.copy)(shared.agreement(), parts.decider.agreement(), sizeof(std::uint32_t), communication);
    if (member.rate_entry) {
      (parts.backend.copy)(words(*member.rate_entry, words_).agreement(), parts.decider.rate_agreement(),
                           sizeof(std::uint32_t), communication);
    }
  }
  [[nodiscard]] NormWords words(std::size_t entry, Buffer<std::uint64_t, Backend> const& memory) const noexcept {
    return {memory.data(), static_cast<int>(entry), static_cast<int>(plan_.entries().size())};
  }

  JointWorld<Backend>& world_;
  JointPlan const& plan_;
  JointMembers<Backend>& members_;
  std::uint64_t number_;
  Buffer<std::uint64_t, Backend> words_;  // digits, then `plan_.entries()`
  Buffer<std::uint64_t, Backend> apart_;  // the same of members that repeat others, whose squares do not count
  Buffer<NormEntry, Backend> entries_;
  Event ready_{};
};

}  // namespace zero::detail
