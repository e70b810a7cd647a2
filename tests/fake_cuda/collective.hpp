// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/handles.hpp"

#include <zero/point_to_point.hpp>
#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/detail/transfer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Communicators, and what their ranks do together.
namespace fake_cuda {

class Meeting;
struct CommGroup;

using Bytes = std::span<std::byte const>;

/// What one rank does in a collective.
struct Part {
  char const* operation = "";
  std::size_t count = 0, element_bytes = 0;  ///< the same on all ranks
  std::vector<zero::simulation::Access> accesses{};
  std::vector<Bytes> gives{};  ///< one range for each rank, or one for all of them
  /// Does its work with what each rank has given to this one.
  std::function<void(std::vector<Bytes> const&)> take{};
  std::vector<zero::Transfer> messages{};  ///< a group of these, which is no collective: only their ranks take part
};

/// One rank of a communicator.
struct CommunicatorState {
  std::shared_ptr<CommGroup> comm_group{};
  std::size_t rank = 0;
  int device = 0;
  int questions = 0;              ///< that are still answered with "in progress"
  StreamState* stream = nullptr;  ///< of the last collective
  std::uint64_t posted = 0;       ///< collectives, groups apart
  std::uint64_t splits = 0;
  bool ends = false;
  bool ended = false;  ///< destroyed or aborted, but graphs hold its collectives
  /// Meetings and groups, in the order of their calls, which is that of their run.
  std::deque<std::shared_ptr<void const>> pending{};
  std::multiset<void*> registrations{};

  /// What it was last told to do is not over.
  [[nodiscard]] bool is_busy() const;
};

/// The ranks of one communicator.
struct CommGroup {
  struct Choice {
    int color, key;
    CommunicatorState* parent;  ///< null: it is gone, and the split with it
    CommunicatorState** made;   ///< set once all have chosen
  };
  std::vector<int> devices{};                                       ///< of the ranks that have come; -1: has not
  std::map<std::uint64_t, std::shared_ptr<Meeting>> meetings{};     ///< to which not all have come, by number
  std::map<std::uint64_t, std::map<std::size_t, Choice>> splits{};  ///< by number and rank
  zero::detail::simulation::MessageMatcher matcher{};
  std::vector<std::shared_ptr<void const>> aborted{};  ///< groups that never run, but whose messages peers may look at

  explicit CommGroup(std::size_t ranks) : devices(ranks, -1) {}
  [[nodiscard]] std::size_t size() const noexcept { return devices.size(); }
  [[nodiscard]] bool complete() const { return std::find(devices.begin(), devices.end(), -1) == devices.end(); }
};

inline bool CommunicatorState::is_busy() const {
  if (!comm_group->complete() || questions > 0 || (ends && !pending.empty())) return true;
  return splits > 0 && comm_group->splits[splits - 1].size() < comm_group->size();
}

/// One rank's sends and receipts of a group: a message moves when it is next for both of its ranks, as a meeting does.
struct MessageGroup : zero::detail::simulation::TransferPart {
  CommunicatorState* owner = nullptr;

  /// Whether nothing is before it on its stream, where it is the first, and on its communicator.
  [[nodiscard]] bool is_next() const { return !owner->pending.empty() && owner->pending.front().get() == this; }
};

/// One collective: runs when every rank's part is the next operation of its stream and the next of its communicator.
class Meeting : public zero::detail::simulation::Collective {
 public:
  explicit Meeting(std::size_t ranks) : Collective(0, all_of(ranks), ranks), members_(ranks) {}

  /// \throws CommunicationError where the ranks call different ones.
  void come(CommunicatorState& rank, zero::detail::simulation::Stream& stream, Part part) {
    zero::detail::simulation::CollectivePart what;
    what.posting = {
        .operation = part.operation, .purpose = {}, .count = part.count, .element_bytes = part.element_bytes};
    what.stream = &stream;
    post(static_cast<int>(rank.rank), std::move(what), [](Collective const&) {});
    members_[rank.rank] = {&rank, std::move(part)};
  }
  /// Never where a rank's part has been aborted or lost.
  [[nodiscard]] bool ready() const {
    return all_posted() &&
           std::all_of(parts().begin(), parts().end(),
                       [&](auto const& part) {
                         auto const& queue = part->stream->queue;
                         return !queue.empty() && queue.front()->collective.get() == this;
                       }) &&
           std::all_of(members_.begin(), members_.end(),
                       [&](auto const& m) { return m.rank->pending.front().get() == this; });
  }
  /// Nobody's buffer is written before all have been read.
  void run() {
    std::vector<std::vector<std::vector<std::byte>>> given;
    for (auto const& member : members_) {
      auto& copies = given.emplace_back();
      for (auto const& bytes : member.part.gives) copies.emplace_back(bytes.begin(), bytes.end());
    }
    for (std::size_t r = 0; r < members_.size(); ++r) {
      std::vector<Bytes> mine;
      mine.reserve(given.size());
      for (auto const& copies : given) mine.emplace_back(copies[copies.size() == 1 ? 0 : r]);
      members_[r].part.take(mine);
      members_[r].rank->pending.pop_front();
    }
  }

 private:
  static std::vector<int> all_of(std::size_t ranks) {
    std::vector<int> all(ranks);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  struct Member {
    CommunicatorState* rank = nullptr;
    Part part{};
  };
  std::vector<Member> members_;
};

}  // namespace fake_cuda
