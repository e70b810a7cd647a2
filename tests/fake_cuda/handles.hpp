// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/machine.hpp"

#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/detail/vector_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

// What the runtime's opaque handles point at.
namespace fake_cuda {

using zero::detail::simulation::Operation;

struct StreamState;
struct CommunicatorState;
struct Part;

/// What was put on a stream while it was captured.
struct Node {
  StreamState* stream = nullptr;
  Operation operation{};
  std::optional<std::size_t> after{};  ///< a wait: the node of the record that it waits for
  CommunicatorState* communicator{};   ///< of a collective; null: none
  std::shared_ptr<Part const> part{};
};

struct Capture {
  StreamState* origin = nullptr;
  std::thread::id thread{};
  bool valid = true;
  bool open = true;
  std::vector<Node> nodes{};
  std::vector<StreamState*> streams{};

  /// Every stream that was drawn in has been waited for by the origin's, directly or not.
  [[nodiscard]] bool joined() const {
    std::set<std::size_t> before;
    std::vector<std::size_t> left;
    auto const enter = [&](std::size_t node) {
      if (before.insert(node).second) left.push_back(node);
    };
    auto const last = [&](StreamState const* stream, std::size_t end) -> std::optional<std::size_t> {
      while (end-- > 0) {
        if (nodes[end].stream == stream) return end;
      }
      return std::nullopt;
    };
    if (auto const node = last(origin, nodes.size())) enter(*node);
    while (!left.empty()) {
      auto const node = left.back();
      left.pop_back();
      if (nodes[node].after) enter(*nodes[node].after);
      if (auto const previous = last(nodes[node].stream, node)) enter(*previous);
    }
    for (auto const* stream : streams) {
      auto const node = last(stream, nodes.size());
      if (node && before.count(*node) == 0) return false;
    }
    return true;
  }
};

struct StreamState {
  zero::detail::simulation::Stream queue{};
  int device = 0;
  bool destroyed = false;
  std::shared_ptr<Capture> capture{};  ///< null: what is put here runs
};

struct EventState {
  std::shared_ptr<Operation> recorded{};  ///< null: never, or in a capture
  std::shared_ptr<Capture> capture{};
  std::size_t node = 0;
  bool keeps_time = true;
};

struct GraphState {
  StreamState* origin = nullptr;
  std::vector<Node> nodes{};
  std::map<StreamState*, StreamState*> branches{};  ///< of an executable: the stream that runs what was put on another
};

/// A thread that calls the runtime.
struct HostState {
  std::size_t thread = 0;  ///< in vector clocks
  int rank = 0;
  int device = 0;
  std::optional<int> entered{};  ///< the rank that this thread is
  Counts counts{};
  zero::detail::simulation::VectorClock clock{};
  std::shared_ptr<zero::detail::simulation::VectorClock const> known{};

  [[nodiscard]] std::shared_ptr<zero::detail::simulation::VectorClock const> clock_snapshot() {
    if (!known) known = std::make_shared<zero::detail::simulation::VectorClock>(clock);
    return known;
  }
  void join_clock(zero::detail::simulation::VectorClock const& other) {
    clock.join(other);
    known.reset();
  }
};

}  // namespace fake_cuda
