// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/thread_world.hpp>
#include <zero/communicators/detail/transfer_label.hpp>
#include <zero/error.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// A message that a rank sends to another one of its group. The receiver reads it where the sender has it.
struct ThreadMessage {
  enum class Stage : std::uint8_t {
    idle,      ///< its sender may use it for the next message
    prepared,  ///< its sender is about to post it
    posted,    ///< its receiver may take it
    taken,     ///< its receiver puts the reading on its stream: it must stay
    read,      ///< that is on the stream; its sender makes its own stream wait for it
  };

  ThreadMessage() = default;
  ThreadMessage(ThreadMessage const&) = delete;
  ThreadMessage& operator=(ThreadMessage const&) = delete;
  virtual ~ThreadMessage() = default;

  Stage stage = Stage::idle;
  int from = 0;  ///< in the group, as `to`
  int to = 0;
  void const* data = nullptr;
  std::size_t bytes = 0;
  void const* stream_kind = nullptr;  ///< tells the types of streams apart
  TransferLabel label{};
};

/// Where the ranks of a group leave messages for each other. A sender waits until its messages are read, so that their
/// memory stays while anybody looks at it; every wait ends with the world's first failure, too. Ranks count within the
/// group; errors name those of the world. Locked by the world's mutex, and each rank sleeps on a condition of its own.
class ThreadMessages {
 public:
  /// What was asked for and what was there.
  struct Taken {
    std::size_t transfer;  ///< in the list
    ThreadMessage* message;
  };

  /// \p ranks: of \p world, in the order of the group. Borrows both.
  ThreadMessages(ThreadWorld& world, std::vector<int> const& ranks)
      : world_(world), ranks_(ranks), members_(ranks.size()) {
    for (auto& member : members_) world_.add(member.woken);
  }
  ThreadMessages(ThreadMessages const&) = delete;
  ThreadMessages& operator=(ThreadMessages const&) = delete;
  ~ThreadMessages() {
    for (auto& member : members_) world_.remove(member.woken);
  }

  /// A message of type \p Message from \p from, which calls this, to \p to: an idle one, or another one. It lives as
  /// long as this, so that events in it outlive those who wait for them, and is always of the same two ranks.
  template <class Message>
  [[nodiscard]] Message& prepare(int from, int to) {
    auto& made = member(from).made;
    auto found = std::find_if(made.begin(), made.end(), [&](auto const& message) {
      return message->stage == ThreadMessage::Stage::idle && message->to == to &&
             message->stream_kind == &Message::kind;
    });
    if (found == made.end()) {
      found = made.insert(made.end(), std::make_unique<Message>());
      (*found)->from = from;
      (*found)->to = to;
      (*found)->stream_kind = &Message::kind;
    }
    (*found)->stage = ThreadMessage::Stage::prepared;
    return static_cast<Message&>(**found);
  }

  /// Lets the receivers of \p messages, of one sender, have them. \throws CommunicationError in a world that has
  /// failed.
  void post(std::span<ThreadMessage* const> messages) {
    std::lock_guard const lock(world_.mutex());
    if (world_.failed()) throw_failed(*messages.front());
    for (auto* const message : messages) {  // before any of them is there
      auto& inbox = member(message->to).inbox;
      inbox.reserve(inbox.size() + messages.size());
    }
    for (auto* const message : messages) {
      message->stage = ThreadMessage::Stage::posted;
      member(message->to).inbox.push_back(message);
      member(message->to).woken.notify_all();
    }
  }

  /// Waits until one of \p rank's receipts \p pending, numbers of \p list in its order, has its message, and takes it
  /// out of both. \throws CommunicationError, also where it is of another size, or its stream of another type.
  [[nodiscard]] Taken take(int rank, std::span<zero::Transfer const> list, std::vector<std::size_t>& pending,
                           void const* stream_kind, TransferLabel const& label) {
    std::unique_lock lock(world_.mutex());
    auto& me = member(rank);
    Match match{};
    bool const over = me.woken.wait_for(lock, world_.deadline(), [&] {
      if (world_.failed()) return true;
      match = match_of(me, list, pending);
      for (std::size_t i = 0; i < pending.size() && !match.message; ++i) expect_stayed(list[pending[i]].peer, "sent");
      return match.message != nullptr || world_.failed();
    });
    auto const& first = list[pending.front()];
    if (!over) miss(first.peer, rank, "did not send it");
    if (world_.failed()) throw_failure(rank, label, first);
    Taken const taken{pending[match.receipt], match.message};
    expect_same(rank, *taken.message, list[taken.transfer], stream_kind, label);
    me.inbox.erase(std::find(me.inbox.begin(), me.inbox.end(), taken.message));
    taken.message->stage = ThreadMessage::Stage::taken;
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(match.receipt));
    return taken;
  }

  /// The receiver of \p message has put its reading on its stream, or has read it, or never will.
  void release(ThreadMessage& message) noexcept {
    std::lock_guard const lock(world_.mutex());
    message.stage = ThreadMessage::Stage::read;
    member(message.from).woken.notify_all();
  }

  /// Waits until all \p messages of \p rank are read. \throws CommunicationError.
  void await_read(int rank, std::span<ThreadMessage* const> messages) {
    if (messages.empty()) return;
    std::unique_lock lock(world_.mutex());
    ThreadMessage* unread = nullptr;
    auto const all_read = [&] {
      auto const found = std::find_if(messages.begin(), messages.end(),
                                      [](auto const* m) { return m->stage != ThreadMessage::Stage::read; });
      unread = found == messages.end() ? nullptr : *found;
      return unread == nullptr;
    };
    bool const over = member(rank).woken.wait_for(lock, world_.deadline(), [&] {
      if (all_read()) return true;
      if (unread->stage == ThreadMessage::Stage::posted) expect_stayed(unread->to, "received");
      return world_.failed();
    });
    if (unread == nullptr) return;
    if (!over) miss(unread->to, rank, "did not receive it");
    throw_failure(rank, unread->label,
                  zero::Transfer::send(static_cast<std::byte const*>(unread->data), unread->bytes, unread->to));
  }

  /// Fails the world for \p reason, unless it has failed, so that nobody takes anything any more, and waits until only
  /// streams look at the \p messages of \p rank. Who has taken one releases it whatever happens, so that no deadline is
  /// needed, which would take memory away that is still read.
  void end(int rank, std::span<ThreadMessage* const> messages, std::string reason) noexcept {
    std::unique_lock lock(world_.mutex());
    world_.fail_locked(CommunicationFailure::peer_failed, world_rank(rank), std::move(reason));
    member(rank).woken.wait(lock, [&] {
      return std::none_of(messages.begin(), messages.end(),
                          [](auto const* m) { return m->stage == ThreadMessage::Stage::taken; });
    });
  }

 private:
  struct Member {
    std::vector<ThreadMessage*> inbox;                 // posted, in that order
    std::vector<std::unique_ptr<ThreadMessage>> made;  // that it sends; its own thread's
    std::condition_variable woken;
  };

  [[nodiscard]] Member& member(int rank) noexcept { return members_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] int world_rank(int rank) const noexcept { return ranks_[static_cast<std::size_t>(rank)]; }

  struct Match {
    std::size_t receipt = 0;  // in the list of those that are pending
    ThreadMessage* message = nullptr;
  };
  // The oldest message of a sender is the first that is to be received from it.
  [[nodiscard]] static Match match_of(Member const& me, std::span<zero::Transfer const> list,
                                      std::vector<std::size_t> const& pending) noexcept {
    for (auto* const message : me.inbox) {
      for (std::size_t i = 0; i < pending.size(); ++i) {
        if (list[pending[i]].peer == message->from) return {i, message};
      }
    }
    return {};
  }

  /// Fails the world where \p peer has left, without what this rank waits for.
  void expect_stayed(int peer, std::string_view what) {
    if (!world_.has_left(world_rank(peer))) return;
    world_.fail_locked(CommunicationFailure::peer_failed, world_rank(peer),
                       concat({"has left before it has ", what, " it: post both sides of each message"}));
  }

  /// \p peer has let the deadline of \p rank pass.
  void miss(int peer, int rank, std::string_view what) {
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(world_.deadline()).count();
    auto const& inbox = member(rank).inbox;
    bool const waits = std::any_of(inbox.begin(), inbox.end(), [&](auto const* m) { return m->from == peer; });
    world_.fail_locked(
        CommunicationFailure::deadline, world_rank(peer),
        concat({what, " within the deadline of ", ms, " ms: ",
                waits ? "it waits for a message of its own to be received: send and receive in one list of transfer"
                      : "find what holds it up, or set a longer RunOptions::deadline"}));
  }

  [[noreturn, gnu::cold]] void throw_failure(int rank, TransferLabel const& label, zero::Transfer const& transfer) {
    auto const& failure = world_.failure();
    throw CommunicationError(failure.kind, label.where(transfer.direction, failure.rank),
                             concat({"zero: rank ", world_rank(rank), " waited in ",
                                     label.describe(transfer.direction, transfer.bytes, world_rank(transfer.peer)),
                                     ": rank ", failure.rank, " ", failure.reason}));
  }
  [[noreturn, gnu::cold]] void throw_failed(ThreadMessage const& wanted) {
    auto const& failure = world_.failure();
    throw CommunicationError(
        failure.kind, wanted.label.where(zero::Transfer::Direction::send, failure.rank),
        concat({"zero: rank ", world_rank(wanted.from), " may not enter ", describe(wanted), ", because rank ",
                failure.rank, " ", failure.reason, ": end the ranks, and start again from a checkpoint"}));
  }

  [[nodiscard]] std::string describe(ThreadMessage const& message) const {
    return message.label.describe(zero::Transfer::Direction::send, message.bytes, world_rank(message.to));
  }
  void expect_same(int rank, ThreadMessage const& message, zero::Transfer const& transfer, void const* stream_kind,
                   TransferLabel const& label) {
    if (message.bytes == transfer.bytes && message.stream_kind == stream_kind) return;
    auto const parts = concat({"rank ", world_rank(message.from), " ", describe(message), ", rank ", world_rank(rank),
                               " ", label.describe(transfer.direction, transfer.bytes, world_rank(message.from))});
    bool const sizes = message.bytes != transfer.bytes;
    auto const* const what = sizes ? "another size" : "on another kind of stream";
    world_.fail_locked(CommunicationFailure::mismatch, world_rank(rank),
                       concat({"receives ", what, " than rank ", world_rank(message.from), " sends (", parts, ")"}));
    throw CommunicationError(
        CommunicationFailure::mismatch, label.where(transfer.direction, world_rank(rank)),
        concat({"zero: a message is received ", sizes ? "in " : "", what, " than it is sent: ", parts,
                ": give both ranks the same, and post messages in the same order on both"}));
  }

  ThreadWorld& world_;
  std::vector<int> const& ranks_;
  FixedArray<Member> members_;
};

}  // namespace zero::detail
