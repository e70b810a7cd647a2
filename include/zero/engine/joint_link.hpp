// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/parameter.hpp>

#include <cstddef>
#include <span>

namespace zero::detail {

/// What an engine asks the joint step that it is a member of, and without which it starts no collective. Members are
/// numbered on each rank.
template <class Backend>
class JointLink {
 public:
  /// Reduces all buckets up to those of \p member before \p end, in the order of the joint step, so that the gradient
  /// of \p id has room. \throws GradientError where one of them cannot be closed, CommunicationError.
  virtual void make_room(std::size_t member, std::size_t end, ParameterId id) = 0;
  /// A gradient has arrived: reduces what is complete, where that is allowed now. \throws CommunicationError.
  virtual void reduce_complete() = 0;
  /// Takes the squares of all members' sums again.
  virtual void retake_norm() = 0;
  /// \p ids of \p member are about to be gathered. \throws GradientError, CommunicationError.
  virtual void before_gather(std::size_t member, std::span<ParameterId const> ids) = 0;
  /// \p member is about to call other collectives: they come behind those of the other members.
  virtual void take_turn(std::size_t member) = 0;
  /// The engine is about to end, and the joint step with it.
  virtual void end_of_member() noexcept = 0;

 protected:
  ~JointLink() = default;
};

}  // namespace zero::detail
