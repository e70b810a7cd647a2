// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/simulation/access.hpp>
#include <zero/simulation/detail/vector_clock.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace zero::detail::simulation {

using zero::simulation::Access;
using zero::simulation::reads;
using zero::simulation::writes;

class Collective;
struct TransferPart;

/// Something that was put on a stream, and what must have happened before it may run.
struct Operation {
  static constexpr std::size_t no_bucket = CommunicationError::no_bucket;

  std::string name;
  std::size_t bucket = no_bucket;
  std::vector<Access> accesses;
  std::function<void()> run;                ///< null: nothing happens to memory
  std::shared_ptr<Operation> after;         ///< a wait: the record of the event as it stood when the host called it
  std::shared_ptr<VectorClock const> host;  ///< what had happened before the host put it on the stream
  std::shared_ptr<Collective> collective;   ///< the ranks' common operation that this is a part of
  std::shared_ptr<TransferPart> transfer;   ///< the messages to and from other ranks that it is
  std::uint64_t number = 0;                 ///< order in which all hosts put operations on streams
  std::uint64_t put_at = 0;                 ///< logical time of the host when it did
  int rank = 0;
  std::string const* stream = nullptr;  ///< name of the stream
  bool is_record = false;
  bool has_arrived = false;  ///< a collective's part: nothing before it on its stream is left
  bool done = false;
  VectorClock clock;              ///< a record: what its event stands for, once done
  std::uint64_t finished_at = 0;  ///< logical time, once done

  [[nodiscard]] std::string describe() const {
    auto const of_bucket = bucket == no_bucket ? "" : concat({", bucket ", bucket});
    return concat({quote(name + of_bucket), " (#", number, ", stream ", quote(*stream), ")"});
  }
};

/// Names what lies where, for messages.
struct MemoryName {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  std::string name;
};

}  // namespace zero::detail::simulation
