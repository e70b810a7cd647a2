// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/thread_messages.hpp>
#include <zero/communicators/detail/transfer_label.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// A message whose two ranks show each other events of their streams.
template <class Stream>
struct StreamMessage : ThreadMessage {
  static constexpr char kind = 0;     ///< its address tells the types of streams apart
  Stream stream;                      ///< the sender's
  typename Stream::Event filled{};    ///< recorded by the sender: the message is there
  typename Stream::Event was_read{};  ///< recorded by the receiver
};

/// One rank's sends and receipts of one operation. All sends are posted first; then messages are received as they come,
/// so that ranks that send to each other go on whatever the order of their lists. Events are recorded before the other
/// rank hears of them. Used once.
template <class Stream>
class ThreadTransfer {
  using Message = StreamMessage<Stream>;

 public:
  ThreadTransfer(ThreadMessages& messages, int rank, Stream stream, TransferLabel label)
      : messages_(messages), rank_(rank), stream_(stream), label_(label) {}

  void run(std::span<zero::Transfer const> list) {
    for_own(list, rank_, [&](zero::Transfer const& send, zero::Transfer const& receive) {
      if (send.bytes > 0) (stream_.copy)(receive.data, send.data, send.bytes);
    });
    std::vector<std::size_t> receipts;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].peer != rank_ && !list[i].sends()) receipts.push_back(i);
    }
    try {
      post(list);
      while (!receipts.empty()) {
        auto const taken = messages_.take(rank_, list, receipts, &Message::kind, label_);
        receive(static_cast<Message&>(*taken.message), list[taken.transfer]);
      }
      messages_.await_read(rank_, sent_);
      for (auto* const message : sent_) stream_.wait(of(*message).was_read);
    } catch (...) {
      end_failed();
      throw;
    }
    for (auto* const message : sent_) message->stage = ThreadMessage::Stage::idle;
  }

 private:
  [[nodiscard]] static Message& of(ThreadMessage& message) noexcept { return static_cast<Message&>(message); }

  void post(std::span<zero::Transfer const> list) {
    for (auto const& transfer : list) {
      if (transfer.peer == rank_ || !transfer.sends()) continue;
      auto& message = messages_.template prepare<Message>(rank_, transfer.peer);
      message.data = transfer.data;
      message.bytes = transfer.bytes;
      message.label = label_;
      message.stream = stream_;
      stream_.record(message.filled);
      sent_.push_back(&message);
    }
    if (!sent_.empty()) messages_.post(sent_);
  }

  void receive(Message& message, zero::Transfer const& transfer) {
    try {
      stream_.enable_peer_access(message.stream);
      stream_.wait(message.filled);
      if (transfer.bytes > 0) (stream_.copy)(transfer.data, message.data, transfer.bytes);
      stream_.record(message.was_read);
    } catch (...) {
      stream_.synchronize_noexcept();  // its sender's memory may go as soon as it hears
      messages_.release(message);
      throw;
    }
    messages_.release(message);
  }

  // What this rank sends may go now, and what it receives into: not before the streams that use it are done.
  void end_failed() noexcept {
    stream_.synchronize_noexcept();
    std::string reason;
    try {
      reason = concat({"failed inside transfer #", label_.sequence, " of ", label_.purpose.what});
    } catch (std::bad_alloc const&) {  // without one, then
    }
    messages_.end(rank_, sent_, std::move(reason));
    for (auto* const message : sent_) {
      if (message->stage != ThreadMessage::Stage::read) continue;
      try {
        of(*message).was_read.synchronize();
      } catch (...) {  // a device that is lost reads nothing
      }
    }
  }

  ThreadMessages& messages_;
  int rank_;
  Stream stream_;
  TransferLabel label_;
  std::vector<ThreadMessage*> sent_;
};

}  // namespace zero::detail
