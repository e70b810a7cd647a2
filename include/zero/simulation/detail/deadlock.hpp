// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/host.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/detail/transfer.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

namespace zero::detail::simulation {

/// Says why nothing can go on: who waits for whom, from the first host or stream that is stuck, until the chain closes
/// or ends at a host that will not come.
class DeadlockReport {
 public:
  explicit DeadlockReport(std::deque<Host> const& hosts) : hosts_(hosts) {}

  [[nodiscard]] std::string build() {
    report_ = "zero: deadlock: ";
    for (auto const& host : hosts_) {
      if (!host.finished) return trace(host);
    }
    for (auto const& host : hosts_) {
      for (auto const& stream : host.streams) {
        if (!stream.queue.empty()) return trace(stream);
      }
    }
    return report_;
  }

 private:
  std::string trace(Host const& host) {
    auto const who = concat({"the host of rank ", host.rank});
    if (seen(&host)) return close(who);
    if (host.awaits) {
      report_ += concat({who, " waits for ", host.awaits->describe(), "; "});
      return trace(stream_of(*host.awaits));
    }
    auto const& mine = host.meets->part_of(host.rank).posting;
    report_ += concat({who, " waits in ", mine.describe(), among(*host.meets), "; "});
    return follow_absent(*host.meets, mine.sequence);
  }

  std::string trace(Stream const& stream) {
    auto const who = concat({"stream ", quote(stream.name), " of rank ", stream.rank});
    if (seen(&stream)) return close(who);
    auto const& front = *stream.queue.front();
    if (front.after && !front.after->done) {
      report_ += concat({who, " waits for the event that ", front.after->describe(), " records; "});
      return trace(stream_of(*front.after));
    }
    if (front.transfer) return trace(*front.transfer, who);
    auto const& mine = front.collective->part_of(stream.rank).posting;
    report_ += concat({who, " waits in ", mine.describe(), among(*front.collective), "; "});
    return follow_absent(*front.collective, mine.sequence);
  }

  // The first rank that a collective waits for.
  std::string follow_absent(Collective const& collective, std::uint64_t sequence) {
    for (std::size_t r = 0; r < collective.ranks().size(); ++r) {
      auto const& host = hosts_[static_cast<std::size_t>(collective.ranks()[r])];
      auto const& part = collective.parts()[r];
      auto const& state = host.communicators.at(collective.communicator());
      if (!part && host.finished) {
        report_ += concat({"rank ", host.rank, " never comes: its host has ended after ",
                           counted(state.sequence, "collective"), ": call the engine equally often on every rank"});
        return report_;
      }
      if (!part) {
        report_ += concat({"rank ", host.rank, " has not come to #", sequence, "; "});
        return trace(host);
      }
      if (part->stream == nullptr) continue;
      if (part->stream->queue.front()->collective.get() != &collective) return trace(*part->stream);
      if (state.launched->front() == part->stream) continue;
      return follow_launched(host.rank, *state.launched);
    }
    return report_ + "every rank has come";
  }

  // The first message that has not moved, and why not.
  std::string trace(TransferPart const& part, std::string const& who) {
    auto const& item =
        *std::find_if(part.items.begin(), part.items.end(), [](auto const& i) { return !i.message->moved; });
    report_ += concat({who, " waits in ", part.describe(item), among(*part.ranks), "; "});
    if (!part.arrived) return follow_launched(part.rank, launched(part));
    auto const& host = hosts_[static_cast<std::size_t>(item.transfer.peer)];
    auto const* const other = item.transfer.sends() ? item.message->receiver : item.message->sender;
    auto const* const does = item.transfer.sends() ? "receive" : "send";
    if (other == nullptr && host.finished) {
      return report_ + concat({"rank ", host.rank, " never ", does, "s it: its host has ended after ",
                               counted(host.communicators.at(part.communicator).transfers, "transfer"),
                               ": post both sides of each message"});
    }
    if (other == nullptr) {
      report_ += concat({"rank ", host.rank, " has not come to ", does, " it; "});
      return trace(host);
    }
    if (other->stream->queue.front()->transfer.get() != other) {
      report_ += concat({"rank ", host.rank, " ", does, "s it after something else; "});
      return trace(*other->stream);
    }
    return follow_launched(host.rank, launched(*other));
  }
  [[nodiscard]] LaunchOrder const& launched(TransferPart const& part) const {
    return *hosts_[static_cast<std::size_t>(part.rank)].communicators.at(part.communicator).launched;
  }
  std::string follow_launched(int rank, LaunchOrder const& launched) {
    report_ += concat({"rank ", rank, " launched another collective before it; "});
    return trace(*launched.front());
  }

  // Which group, where it is one.
  [[nodiscard]] std::string among(Collective const& collective) const { return among(collective.ranks()); }
  [[nodiscard]] std::string among(std::vector<int> const& ranks) const {
    if (ranks.size() == hosts_.size()) return {};
    std::string text;
    for (int rank : ranks) text += (text.empty() ? " of the group of ranks " : ", ") + std::to_string(rank);
    return text;
  }
  [[nodiscard]] Stream const& stream_of(Operation const& operation) const {
    auto const& streams = hosts_[static_cast<std::size_t>(operation.rank)].streams;
    return *std::find_if(streams.begin(), streams.end(), [&](Stream const& s) { return &s.name == operation.stream; });
  }
  [[nodiscard]] bool seen(void const* node) {
    if (std::find(path_.begin(), path_.end(), node) != path_.end()) return true;
    path_.push_back(node);
    return false;
  }
  [[nodiscard]] std::string close(std::string const& who) { return report_ + "and that is " + who + " again"; }

  std::deque<Host> const& hosts_;
  std::vector<void const*> path_;
  std::string report_;
};

[[nodiscard]] inline std::string describe_deadlock(std::deque<Host> const& hosts) {
  return DeadlockReport(hosts).build();
}

}  // namespace zero::detail::simulation
