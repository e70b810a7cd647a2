// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/engine/core.hpp>
#include <zero/engine/observed.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/recordable.hpp>
#include <zero/gradients/intake.hpp>
#include <zero/partitioner.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// One engine of this rank in a joint step.
template <class Backend>
struct JointMember {
  [[nodiscard]] EngineParts<Backend>& parts() const noexcept { return core->parts(); }
  [[nodiscard]] GradientIntake<Backend>& intake() const noexcept { return parts().reducer.intake(); }
  [[nodiscard]] Stage stage() const noexcept { return core->settings().stage; }

  EngineCore<Backend>* core = nullptr;  ///< borrowed
  std::string name;
  std::size_t engine = 0;                 ///< number among those of all ranks
  std::size_t entry = 0;                  ///< in the words of the norm
  std::optional<std::size_t> rate_entry;  ///< the same, where it is repeated
  bool repeats = false;                   ///< its squares are another engine's, too
};

/// The engines of this rank as they were passed, which of them leads, in which order they update, and whose turn it is:
/// what members put on their communication streams is ordered as if they had one.
template <class Backend>
class JointMembers {
 public:
  using Member = JointMember<Backend>;
  using Event = typename Backend::Event;

  void add(Member member) {
    bool const scales = member.core->operations().policies.traits().scales;
    if (scales && !has_scaler_) lead_ = members_.size();
    has_scaler_ = has_scaler_ || scales;
    turn_ = lead_;
    members_.push_back(std::move(member));
    order_updates();
  }

  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] Member& operator[](std::size_t m) noexcept { return members_[m]; }
  [[nodiscard]] Member const& operator[](std::size_t m) const noexcept { return members_[m]; }
  [[nodiscard]] auto begin() noexcept { return members_.begin(); }
  [[nodiscard]] auto end() noexcept { return members_.end(); }
  [[nodiscard]] auto begin() const noexcept { return members_.begin(); }
  [[nodiscard]] auto end() const noexcept { return members_.end(); }

  /// The member whose loss scale counts: the first one that has a scaler; the first of all, where none has.
  [[nodiscard]] std::size_t lead() const noexcept { return lead_; }
  [[nodiscard]] EngineParts<Backend>& lead_parts() const noexcept { return members_[lead_].parts(); }

  /// Members whose update the host does not wait for come first. One order on all ranks.
  [[nodiscard]] std::vector<std::size_t> const& update_order() const noexcept { return update_order_; }

  /// By observer, a member that it watches: each is told of the joint step once, whichever members it watches.
  [[nodiscard]] std::vector<Observed<Backend>*> const& observers() const noexcept { return observers_; }
  void find_observers() {
    for (auto& member : members_) {
      auto* const observed = member.core->observation();
      auto const is_known = [observed](auto const* other) { return other->observer() == observed->observer(); };
      if (observed == nullptr || std::any_of(observers_.begin(), observers_.end(), is_known)) continue;
      observers_.push_back(observed);
    }
  }
  void forget_observers() noexcept { observers_.clear(); }

  /// \throws SequenceError where a member cannot be called so beside what is recorded now; see the functions of these
  /// names.
  template <class... Streams>
  void require_recordable(EngineCall call, Streams... streams) const {
    for (auto const& member : members_) {
      auto const& parts = member.parts();
      detail::require_recordable(parts.backend, owner, call, parts.communication.get(), streams...);
    }
  }
  template <class... Streams>
  void require_own_streams(std::string_view call, Streams... streams) const {
    for (auto const& member : members_) {
      auto const& parts = member.parts();
      detail::require_own_streams(parts.backend, owner, call, parts.communication.get(), streams...);
    }
  }

  /// What member \p m puts on its communication stream from now on comes behind what others have put on theirs.
  void take_turn(std::size_t m) {
    if (turn_ == m) return;
    auto& before = members_[turn_].parts();
    auto& now = members_[m].parts();
    before.backend.record(turn_over_, before.communication.get());
    now.backend.wait(now.communication.get(), turn_over_);
    turn_ = m;
  }

 private:
  static constexpr std::string_view owner = "zero::JointStep";

  void order_updates() {
    update_order_.push_back(update_order_.size());
    auto const key = [this](std::size_t m) {
      return std::pair(members_[m].core->settings().offloads, members_[m].engine);
    };
    std::sort(update_order_.begin(), update_order_.end(),
              [&key](std::size_t a, std::size_t b) { return key(a) < key(b); });
  }

  std::deque<Member> members_;
  std::vector<std::size_t> update_order_;
  std::vector<Observed<Backend>*> observers_;
  std::size_t lead_ = 0;
  std::size_t turn_ = 0;  // whose communication stream is behind all others
  bool has_scaler_ = false;
  Event turn_over_{};
};

}  // namespace zero::detail
