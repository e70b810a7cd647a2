// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/transfer_label.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/error.hpp>
#include <zero/mpi/detail/calls.hpp>
#include <zero/mpi/detail/group.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// The messages of one list that go between this rank and another one in one direction, one after another: of each
/// first its size, then its bytes, piece by piece, through memory of its own, since MPI may look at it after this rank
/// has failed.
class MessageStream {
 public:
  MessageStream(MpiGroup& group, int peer, bool sends) : group_(group), peer_(peer), sends_(sends) {}

  [[nodiscard]] int peer() const noexcept { return peer_; }
  [[nodiscard]] bool sends() const noexcept { return sends_; }
  void add(zero::Transfer const& transfer) { transfers_.push_back(&transfer); }

  /// Goes on where MPI has moved what was begun. \return whether everything has moved.
  [[nodiscard]] bool advance() {
    for (;;) {
      if (at_ == transfers_.size()) return true;
      if (mismatched_) return false;  // what comes next does not fit
      if (!under_way_) begin();
      int done = 0;
      check_mpi(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (done == 0) return false;
      under_way_ = false;
      end();
    }
  }
  /// The message that it is at.
  [[nodiscard]] zero::Transfer const& current() const noexcept {
    return *transfers_[(std::min)(at_, transfers_.size() - 1)];
  }
  /// Of the message that has come, in another size than asked for; 0: none has.
  [[nodiscard]] bool is_mismatched() const noexcept { return mismatched_; }
  [[nodiscard]] std::uint64_t announced() const noexcept { return memory_->header; }
  /// Leaves its memory to MPI for good.
  void abandon() noexcept {
    if (under_way_) (void)memory_.release();
  }

 private:
  static constexpr std::size_t piece = std::size_t{1} << 20U;
  struct Memory {
    std::uint64_t header = 0;
    std::vector<std::byte> bytes{};
  };

  void begin() {
    under_way_ = true;
    int const other = group_.places().world_rank(peer_), tag = group_.transfer_tag();
    auto const messages = group_.world().messages();
    auto& memory = *memory_;
    if (!announced_) {
      if (sends_) memory.header = current().bytes;
      constexpr int size = static_cast<int>(sizeof memory.header);
      // A message that nobody receives must not look as if it had moved.
      if (sends_)
        return check_mpi(MPI_Issend(&memory.header, size, MPI_BYTE, other, tag, messages, &request_), "MPI_Issend");
      return check_mpi(MPI_Irecv(&memory.header, size, MPI_BYTE, other, tag, messages, &request_), "MPI_Irecv");
    }
    std::size_t const bytes = (std::min)(piece, current().bytes - moved_);
    memory.bytes.resize(bytes);
    if (sends_) {
      std::memcpy(memory.bytes.data(), static_cast<std::byte const*>(current().data) + moved_, bytes);
      return check_mpi(
          MPI_Isend(memory.bytes.data(), static_cast<int>(bytes), MPI_BYTE, other, tag, messages, &request_),
          "MPI_Isend");
    }
    check_mpi(MPI_Irecv(memory.bytes.data(), static_cast<int>(bytes), MPI_BYTE, other, tag, messages, &request_),
              "MPI_Irecv");
  }
  void end() {
    if (!announced_) {
      announced_ = true;
      mismatched_ = !sends_ && memory_->header != current().bytes;
    } else {
      std::size_t const bytes = memory_->bytes.size();
      if (!sends_) std::memcpy(static_cast<std::byte*>(current().data) + moved_, memory_->bytes.data(), bytes);
      moved_ += bytes;
    }
    if (mismatched_ || moved_ < current().bytes) return;
    ++at_;
    announced_ = false;
    moved_ = 0;
  }

  MpiGroup& group_;
  int peer_;
  bool sends_;
  std::vector<zero::Transfer const*> transfers_{};
  std::size_t at_ = 0;
  std::size_t moved_ = 0;
  bool announced_ = false;  // the size of the current message has moved
  bool under_way_ = false;
  bool mismatched_ = false;
  MPI_Request request_ = MPI_REQUEST_NULL;
  std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
};

/// One rank's sends and receipts of one operation, all of which go on at once. Used once.
class MpiTransfer {
 public:
  MpiTransfer(MpiGroup& group, TransferLabel label) : group_(group), label_(label) {}

  void run(std::span<zero::Transfer const> list) {
    expect_mpi_usable();
    int const rank = group_.places().rank();
    for_own(list, rank, [](zero::Transfer const& send, zero::Transfer const& receive) {
      if (send.bytes > 0) std::memcpy(receive.data, send.data, send.bytes);
    });
    for (auto const& transfer : list) {
      if (transfer.peer != rank) stream_of(transfer).add(transfer);
    }
    try {
      await_moved();
    } catch (CommunicationError const& error) {
      abandon();
      group_.world().fail(
          {error.kind(), group_.world().rank(), "failed: " + std::string(error.what())});  // unless known
      throw;
    }
  }

 private:
  void await_moved() {
    auto& world = group_.world();
    Deadline const deadline(world.deadline());
    PeerWatch watch(world);
    for (Pause pause; !advance(); pause()) {
      auto const& waiting = first_waiting();
      int const other = group_.places().world_rank(waiting.peer());
      bool const failed = world.failed(), left = !failed && watch.has_left(other);
      if ((failed || left) && advance()) return;  // what was waited for had come before
      if (!failed && !left && !deadline.passed()) continue;
      if (left) {
        world.fail_left(other);
      } else if (!failed) {
        miss(waiting);
      }
      fail_waiting(waiting);
    }
  }

  [[nodiscard]] MessageStream& stream_of(zero::Transfer const& transfer) {
    auto const found = std::find_if(streams_.begin(), streams_.end(), [&](MessageStream const& stream) {
      return stream.peer() == transfer.peer && stream.sends() == transfer.sends();
    });
    return found != streams_.end() ? *found : streams_.emplace_back(group_, transfer.peer, transfer.sends());
  }
  [[nodiscard]] bool advance() {
    bool all = true;
    for (auto& stream : streams_) {
      bool const moved = stream.advance();
      if (stream.is_mismatched()) throw_mismatch(stream);
      all = all && moved;
    }
    return all;
  }
  [[nodiscard]] MessageStream const& first_waiting() {
    for (auto& stream : streams_) {
      if (!stream.advance()) return stream;
    }
    return streams_.front();
  }

  void miss(MessageStream const& stream) {
    auto const* const what = stream.sends() ? "did not receive what was sent to it" : "did not send what it was to";
    group_.world().fail(
        {CommunicationFailure::deadline, group_.places().world_rank(stream.peer()),
         concat({what, " within the deadline of ", milliseconds_of(group_.world().deadline()),
                 " ms: post both sides of each message, in one list of transfer where two ranks send to "
                 "each other, or set a longer MpiConfig::deadline"})});
  }
  [[noreturn]] void fail_waiting(MessageStream const& stream) {
    auto const failure = group_.world().failure();
    auto const& transfer = stream.current();
    auto const described =
        label_.describe(transfer.direction, transfer.bytes, group_.places().world_rank(stream.peer()));
    throw CommunicationError(failure.kind, label_.where(transfer.direction, failure.rank),
                             concat({"zero: rank ", group_.world().rank(), " waited in ", described, ": rank ",
                                     failure.rank, " ", failure.reason}));
  }
  [[noreturn]] void throw_mismatch(MessageStream const& stream) {
    auto const& transfer = stream.current();
    int const me = group_.world().rank(), other = group_.places().world_rank(stream.peer());
    auto const parts = concat({"rank ", other, " sends ", stream.announced(), " bytes, rank ", me, " ",
                               label_.describe(transfer.direction, transfer.bytes, other)});
    group_.world().fail({CommunicationFailure::mismatch, me,
                         concat({"receives another size than rank ", other, " sends (", parts, ")"})});
    throw CommunicationError(CommunicationFailure::mismatch, label_.where(transfer.direction, me),
                             concat({"zero: a message is received in another size than it is sent: ", parts,
                                     ": give both ranks the same, and post messages in the same order on both"}));
  }
  void abandon() noexcept {
    for (auto& stream : streams_) stream.abandon();
  }

  MpiGroup& group_;
  TransferLabel label_;
  std::vector<MessageStream> streams_;
};

}  // namespace zero::detail
