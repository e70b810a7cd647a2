// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/transfer_label.hpp>
#include <zero/error.hpp>
#include <zero/point_to_point.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/detail/vector_clock.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace zero::detail::simulation {

struct TransferPart;

/// One message: moves when the operations of both of its ranks have nothing before them.
struct Message {
  TransferPart* sender = nullptr;    ///< null: it has not been posted; none once the message has moved
  TransferPart* receiver = nullptr;  ///< the same
  void const* source = nullptr;
  void* destination = nullptr;
  std::size_t bytes = 0;
  bool moved = false;

  /// Moves the data.
  void move_data() const {
    if (bytes > 0) std::memcpy(destination, source, bytes);
  }
};

/// One rank's part in point-to-point messages: one operation of its stream, which ends when all of them have moved.
struct TransferPart {
  /// One message, as this rank has posted it.
  struct Item {
    zero::Transfer transfer;  ///< whose peer counts in the world
    std::shared_ptr<Message> message{};
  };

  std::size_t communicator = 0;
  std::vector<int> const* ranks = nullptr;  ///< of the communicator, as the world counts; borrowed
  int rank = 0;                             ///< as the world counts
  TransferLabel label{};
  Stream* stream = nullptr;
  std::vector<Item> items{};
  bool arrived = false;    ///< nothing is before it
  bool begun = false;      ///< its accesses have been judged
  VectorClock received{};  ///< what had happened on the ranks whose messages have come

  /// \p item: one of them.
  [[nodiscard]] std::string describe(Item const& item) const {
    return label.describe(item.transfer.direction, item.transfer.bytes, item.transfer.peer);
  }
  [[nodiscard]] static bool may_move(Message const& message) noexcept {
    return !message.moved && message.sender != nullptr && message.receiver != nullptr && message.sender->arrived &&
           message.receiver->arrived;
  }
  /// Whether any of the messages may move.
  [[nodiscard]] bool may_run() const noexcept {
    return arrived && std::any_of(items.begin(), items.end(), [](Item const& item) { return may_move(*item.message); });
  }
  [[nodiscard]] bool is_done() const noexcept {
    return std::all_of(items.begin(), items.end(), [](Item const& item) { return item.message->moved; });
  }
};

/// Matches what is sent with what is received: the k-th message of a rank to another one on a communicator is the k-th
/// that that one receives from it.
class MessageMatcher {
 public:
  /// Enters all messages of \p part. \throws CommunicationError where one has another size than its other side.
  void post(TransferPart& part) {
    for (auto& item : part.items) {
      bool const sends = item.transfer.sends();
      auto const peer = item.transfer.peer;
      auto& pair = pairs_[{part.communicator, sends ? part.rank : peer, sends ? peer : part.rank}];
      auto& theirs = sends ? pair.receives : pair.sends;
      if (theirs.empty()) {
        item.message = std::make_shared<Message>();
        (sends ? pair.sends : pair.receives).push_back(item.message);
      } else {
        expect_same(part, item, *theirs.front());
        item.message = std::move(theirs.front());
        theirs.pop_front();
      }
      enter(part, item);
    }
  }
  /// The same where \p part's rank stands for all, and nobody else comes.
  static void post_alone(TransferPart& part) {
    for (auto& item : part.items) {
      item.message = std::make_shared<Message>(
          Message{.sender = &part, .receiver = &part, .source = nullptr, .destination = nullptr});
    }
  }

 private:
  // Of one rank to another one: those whose other side has not come. Only one of the two has any.
  struct Pair {
    std::deque<std::shared_ptr<Message>> sends, receives;
  };

  static void enter(TransferPart& part, TransferPart::Item const& item) noexcept {
    auto& message = *item.message;
    message.bytes = item.transfer.bytes;
    if (item.transfer.sends()) {
      message.sender = &part;
      message.source = item.transfer.data;
    } else {
      message.receiver = &part;
      message.destination = item.transfer.data;
    }
  }

  static void expect_same(TransferPart const& part, TransferPart::Item const& item, Message const& other) {
    if (other.bytes == item.transfer.bytes) return;
    auto const& theirs = item.transfer.sends() ? *other.receiver : *other.sender;
    auto const direction = item.transfer.sends() ? zero::Transfer::Direction::receive : zero::Transfer::Direction::send;
    throw CommunicationError(
        CommunicationFailure::mismatch, part.label.where(item.transfer.direction, part.rank),
        concat({"zero: a message is received in another size than it is sent: rank ", theirs.rank, " ",
                theirs.label.describe(direction, other.bytes, part.rank), ", rank ", part.rank, " ",
                part.describe(item), ": give both ranks the same, and post messages in the same order on both"}));
  }

  std::map<std::tuple<std::size_t, int, int>, Pair> pairs_;
};

}  // namespace zero::detail::simulation
