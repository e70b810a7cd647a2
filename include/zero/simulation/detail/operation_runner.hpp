// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/communicator_table.hpp>
#include <zero/simulation/detail/host.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/detail/transfer.hpp>
#include <zero/simulation/detail/vector_clock.hpp>
#include <zero/simulation/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace zero::detail::simulation {

/// Says which operations may run, and runs them: moves clocks and logical time on, has accesses judged, and writes the
/// trace. Borrows what it is made of.
class OperationRunner {
 public:
  OperationRunner(SimulationOptions const& options, std::deque<Host>& hosts, CommunicatorTable& communicators,
                  SimulationResult& result)
      : options_(options), hosts_(hosts), communicators_(communicators), result_(result) {}

  /// Streams of collectives and transfers of \p host on a communicator that have not run, in the order of their launch.
  [[nodiscard]] static LaunchOrder& launched(Host& host, std::size_t communicator) {
    return *host.communicators.at(communicator).launched;
  }

  /// Whether the first operation of \p stream, which has one, waits for nothing.
  [[nodiscard]] static bool may_run(Host const& host, Stream const& stream) {
    auto& operation = *stream.queue.front();
    if (operation.after && !operation.after->done) return false;
    if (auto* const transfer = operation.transfer.get()) {
      transfer->arrived = host.communicators.at(transfer->communicator).launched->front() == &stream;
      return transfer->may_run();
    }
    if (!operation.collective) return true;
    if (host.communicators.at(operation.collective->communicator()).launched->front() != &stream) return false;
    if (!operation.has_arrived) operation.collective->arrive();
    operation.has_arrived = true;
    return operation.collective->may_run();
  }

  /// Runs the first operation of \p stream, and with it the parts of other ranks. \throws RaceError, and what the
  /// operation throws.
  void run_front(Stream& stream) {
    auto const operation = stream.queue.front();
    if (operation->transfer) return run_transfer(operation->transfer);
    operation->collective ? run_collective(operation->collective) : run_single(stream, operation);
  }

 private:
  void run_single(Stream& stream, std::shared_ptr<Operation> const& operation) {
    begin(stream, operation);
    if (operation->run) operation->run();
    if (operation->is_record && options_.check) operation->clock = stream.clock;
    end(stream);
  }

  // By value: the operation that owns it ends meanwhile.
  void run_collective(std::shared_ptr<Collective> const collective) {  // NOLINT(performance-unnecessary-value-param)
    VectorClock before;
    std::uint64_t time = 0;
    for (auto const& part : collective->parts()) {
      if (!part) continue;
      begin(*part->stream, part->stream->queue.front());
      before.join(part->stream->clock);
      time = (std::max)(time, part->stream->time);
    }
    if (options_.storage == SimulationStorage::real) collective->run();
    for (auto const& part : collective->parts()) {
      if (!part) continue;
      part->stream->clock.join(before);
      part->stream->time = time;
      launched(host(part->stream->rank), collective->communicator()).pop_front();
      end(*part->stream);
      communicators_.leave(collective->communicator(), part->posting.sequence);
    }
  }

  // Moves what can move of a rank's messages; the operations all of whose messages have moved end. By value, as above.
  void run_transfer(std::shared_ptr<TransferPart> const transfer) {  // NOLINT(performance-unnecessary-value-param)
    for (auto const& item : transfer->items) {
      auto& message = *item.message;
      if (!TransferPart::may_move(message)) continue;
      auto &sender = *message.sender, &receiver = *message.receiver;
      begin(sender);
      begin(receiver);
      if (options_.storage == SimulationStorage::real) message.move_data();
      message.moved = true;
      receiver.received.join(sender.stream->clock);  // and not the other way round: a send may have been buffered
      sender.stream->time = receiver.stream->time = (std::max)(sender.stream->time, receiver.stream->time);
      auto const& other = &sender == transfer.get() ? receiver : sender;
      if (&other != transfer.get() && other.is_done()) end(other);
    }
    if (transfer->is_done()) end(*transfer);
  }
  void begin(TransferPart& part) {
    if (!part.begun) begin(*part.stream, part.stream->queue.front());
    part.begun = true;
  }
  void end(TransferPart const& part) {
    auto& stream = *part.stream;
    stream.clock.join(part.received);
    launched(host(part.rank), part.communicator).pop_front();
    end(stream);
  }

  // The operation's own stream and its host have come so far; its accesses are judged before it does them.
  void begin(Stream& stream, std::shared_ptr<Operation> const& operation) {
    stream.time = (std::max)(stream.time, operation->put_at);
    if (operation->after) stream.time = (std::max)(stream.time, operation->after->finished_at);
    if (!options_.check) return;
    stream.clock.join(*operation->host);
    if (operation->after) stream.clock.join(operation->after->clock);
    stream.clock.tick(stream.thread);
    auto& checker = host(stream.rank).checker;
    for (auto const& access : operation->accesses)
      checker.touch(access, {stream.thread, operation, stream.rank}, stream.clock);
  }

  void end(Stream& stream) {
    auto const operation = std::move(stream.queue.front());
    stream.queue.pop_front();
    ++result_.operations;
    std::uint64_t const begun = stream.time;
    stream.time += duration(*operation);
    if (options_.trace && stream.time > begun) {
      result_.trace.push_back({stream.rank, stream.name, operation->name, operation->bucket, begun, stream.time});
    }
    operation->finished_at = stream.time;
    operation->run = nullptr;
    operation->after.reset();
    operation->collective.reset();
    operation->transfer.reset();
    operation->done = true;
  }

  [[nodiscard]] static std::uint64_t duration(Operation const& operation) noexcept {
    if (operation.accesses.empty()) return 0;
    std::uint64_t bytes = 0;
    for (auto const& access : operation.accesses) bytes += access.bytes;
    return 1 + bytes / 1024;
  }

  [[nodiscard]] Host& host(int rank) { return hosts_[static_cast<std::size_t>(rank)]; }

  SimulationOptions const& options_;
  std::deque<Host>& hosts_;
  CommunicatorTable& communicators_;
  SimulationResult& result_;
};

}  // namespace zero::detail::simulation
