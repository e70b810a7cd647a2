// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/joint_link.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace zero::detail {

/// Whether an engine is a member of a joint step, and as which. A member takes no micro-batch or step alone, and asks
/// the joint step before it starts collectives.
template <class Backend>
class JointMembership {
 public:
  /// From now on the engine is the \p member of \p joint, which is borrowed until `leave`.
  void enter(JointLink<Backend>& joint, std::size_t member) noexcept {
    joint_ = &joint;
    member_ = member;
  }
  void leave() noexcept { joint_ = nullptr; }
  [[nodiscard]] explicit operator bool() const noexcept { return joint_ != nullptr; }
  /// Its number in the joint step.
  [[nodiscard]] std::size_t member() const noexcept { return member_; }

  /// \throws SequenceError where \p call is for an engine by itself, and this one is a member.
  void require_alone(std::string_view call) const {
    if (joint_ != nullptr) throw_in_joint(call);
  }
  /// Other collectives follow: those of a member come behind those of the members before it.
  void take_turn() const {
    if (joint_ != nullptr) joint_->take_turn(member_);
  }
  /// \p ids are about to be gathered. False where there is no joint step that could be told.
  [[nodiscard]] bool before_gather(std::span<ParameterId const> ids) const {
    if (joint_ == nullptr) return false;
    joint_->before_gather(member_, ids);
    return true;
  }
  /// The engine is about to end, and the joint step with it.
  void end_of_member() const noexcept {
    if (joint_ != nullptr) joint_->end_of_member();
  }

 private:
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void throw_in_joint(std::string_view call) {
    fail<SequenceError>({"zero::Engine: ", call,
                         " of an engine that is a member of a joint step: call that of zero::JointStep, for all of "
                         "its members at once"});
  }

  JointLink<Backend>* joint_ = nullptr;
  std::size_t member_ = 0;
};

}  // namespace zero::detail
