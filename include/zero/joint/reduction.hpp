// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/gradients/closing_schedule.hpp>
#include <zero/joint/members.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint/sequence.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <span>
#include <vector>

namespace zero::detail {

/// How far a micro-batch has come in the one order in which the buckets of all members are reduced.
template <class Backend>
class JointReduction {
 public:
  /// Both are borrowed; \p members may be added until `arrange`.
  JointReduction(JointPlan const& plan, JointMembers<Backend>& members) : plan_(plan), members_(members) {}

  /// Finds the order of the members' buckets.
  void arrange() {
    std::vector<JointSequence::Member> in_sequence;
    closes_at_gathers_ = plan_.gathers();
    for (auto& member : members_) {
      auto& closing = closings_.emplace_back();
      auto const& specs = member.core->lifetime()->parameters.specs();
      if (closes_at_gathers_ && member.stage() >= Stage::gradients) {
        closing.schedule.emplace(specs, member.core->layout(), true);
      }
      in_sequence.push_back(
          {member.engine, &specs, &member.core->layout(), closing.schedule ? &*closing.schedule : nullptr});
    }
    sequence_ = JointSequence(in_sequence, closes_at_gathers_);
    next_ = sequence_.size();
  }

  /// A micro-batch begins, in which this rank, or another one, may lack gradients.
  void begin(bool may_lack) {
    may_lack_ = may_lack;
    next_ = passed_ = 0;
    for (auto& closing : closings_) {
      if (closing.schedule) closing.schedule->begin();
      closing.closed = 0;
    }
  }
  /// Its gradients are discarded.
  void discard() noexcept {
    failure_ = nullptr;
    next_ = sequence_.size();
  }
  /// Reduces what is left. \throws what an earlier reduction of these gradients has thrown, CommunicationError.
  void finish() { reduce_until(sequence_.size()); }
  /// \throws what a reduction of these gradients has thrown.
  void require_sums() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  // ------------------------------------------------------------------------------------------------- as JointLink has
  // them

  void reduce_complete() {
    require_sums();
    if (closes_at_gathers_) return;
    while (next_ < sequence_.size() && members_[sequence_[next_].member].intake().next_is_complete()) reduce_next();
  }

  void make_room(std::size_t m, std::size_t end, ParameterId id) {
    require_sums();
    std::size_t const target = sequence_.position(m, end - 1) + 1;
    for (std::size_t i = next_; i < target; ++i) {
      auto const at = sequence_[i];
      if (auto const other = members_[at.member].intake().find_not_closable(at.bucket)) {
        throw_no_room(m, id, at.member, *other);
      }
    }
    reduce_until(target);
  }

  /// A function of the gather calls of this rank's members, which all ranks make in one order, as ClosingSchedule has
  /// it.
  void before_gather(std::size_t m, std::span<ParameterId const> ids) {
    auto& member = members_[m];
    bool const sharded = member.stage() == Stage::parameters;
    if (closings_[m].schedule && member.core->phase().inside_micro_batch()) {
      auto& gatherer = member.parts().gatherer;
      auto const needed = [&member](std::uint32_t block) {
        return member.intake().gradient_slots().buckets_before(block);
      };
      auto const held = [&gatherer](std::uint32_t block) { return gatherer.is_held(block); };
      closings_[m].closed = closings_[m].schedule->gather(ids, needed, held);
      reduce_until(passed());
      bool const is_ahead = next_ > passed_ && sharded && may_lack_;
      if (auto const id = is_ahead ? member.parts().reducer.find_not_held(ids, held) : std::nullopt) {
        throw_not_held(m, *id);
      }
    }
    if (sharded) members_.take_turn(m);
  }

 private:
  /// Where gathers close the buckets of a member.
  struct Closing {
    std::optional<ClosingSchedule> schedule;
    std::size_t closed = 0;  // buckets that its gathers of this micro-batch leave behind
  };

  void reduce_until(std::size_t end) {
    require_sums();
    while (next_ < end) reduce_next();
  }
  void reduce_next() {
    auto const at = sequence_[next_];
    try {
      members_.take_turn(at.member);
      members_[at.member].parts().reducer.close_and_reduce_next();
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
    ++next_;
  }
  // The buckets that all gathers so far close.
  [[nodiscard]] std::size_t passed() {
    while (passed_ < sequence_.size() && sequence_[passed_].bucket < closings_[sequence_[passed_].member].closed) {
      ++passed_;
    }
    return passed_;
  }

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_no_room(std::size_t m, ParameterId id, std::size_t other_member,
                                                              ParameterId other) const {
    auto const& spec = members_[m].core->lifetime()->parameters.specs()[id.index];
    auto const& member = members_[other_member];
    auto const& late = member.core->lifetime()->parameters.specs()[other.index];
    bool const is_held = member.intake().is_held(other);
    fail_gradient(spec.name, {"zero::JointStep: gradient of ", quote(spec.name), " of ", quote(members_[m].name),
                              " needs the place of one that is reduced after the gradient of ", quote(late.name),
                              " of ", quote(member.name),
                              is_held ? ", which a lease still holds: call ready() on that lease first, "
                                      : ", which has not arrived: number the units of all members alike, and hand "
                                        "their gradients over unit by unit from the last one, ",
                              is_held ? std::string() : cure_of_tied(spec, late), "or raise gradient_ring"});
  }

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_not_held(std::size_t m, ParameterId id) const {
    auto const& name = members_[m].core->lifetime()->parameters.specs()[id.index].name;
    fail_gradient(name, {"zero::JointStep: ", quote(name), " of ", quote(members_[m].name),
                         " is gathered after a lease has closed buckets to make room. A rank that lacks that lease's "
                         "gradient, as MissingGradient::zero allows and as ranks without a micro-batch do, would call "
                         "these collectives in the other order: gather each unit of each member in forward and in "
                         "backward, end leases on parameters before the next unit is gathered, or raise "
                         "gradient_ring"});
  }

  JointPlan const& plan_;
  JointMembers<Backend>& members_;
  JointSequence sequence_;
  std::deque<Closing> closings_;  // of each member
  bool closes_at_gathers_ = false;
  bool may_lack_ = false;
  std::size_t next_ = 0;        // the first bucket of the sequence that has not been reduced
  std::size_t passed_ = 0;      // those before it are closed by the gathers of this micro-batch
  std::exception_ptr failure_;  // of a reduction whose gradients have not been discarded
};

}  // namespace zero::detail
