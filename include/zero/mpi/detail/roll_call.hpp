// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/mpi/detail/pause.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

/// Finds out which ranks of a communicator are missing once a rank has waited for all of them in vain, so that errors
/// name them. Rank 0 asks everybody; another rank asks rank 0 to. Nothing is sent before a wait has failed. Until then
/// each rank that waits calls `answer` again and again: who does not answer for two seconds is missing, or waits for
/// rank 0 in the rendezvous of several hosts, where it cannot.
///
/// Messages carry the communicator's highest tag, and are as long as nobody else's are likely to be. What MPI says of a
/// message that cannot be sent is no news here: it goes to a rank that has died.
class MpiRollCall {
 public:
  explicit MpiRollCall(MPI_Comm communicator) : communicator_(communicator) {
    (void)MPI_Comm_rank(communicator, &rank_);
    (void)MPI_Comm_size(communicator, &size_);
    void* highest = nullptr;
    int found = 0;
    (void)MPI_Comm_get_attr(communicator, MPI_TAG_UB, static_cast<void*>(&highest), &found);
    if (found != 0) tag_ = *static_cast<int*>(highest);
  }
  MpiRollCall(MpiRollCall const&) = delete;
  MpiRollCall& operator=(MpiRollCall const&) = delete;
  /// MPI may read to the end of the process what has not been received.
  ~MpiRollCall() {
    for (auto& sent : sent_) {
      int done = 0;
      if (MPI_Test(&sent.request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done == 0) (void)sent.message.release();
    }
  }

  /// Answers what other ranks have asked; as rank 0, once another rank has asked for it, by asking everybody, which
  /// takes two seconds at most. \return the missing ranks, where this or another rank has found out.
  [[nodiscard]] std::optional<std::vector<int>> answer() {
    if (auto known = take_messages()) return known;
    if (rank_ == 0 && another_is_late_) return ask_all();
    return std::nullopt;
  }

  /// This rank has waited for the others in vain. Takes six seconds at most. \return the missing ranks; none where all
  /// are there.
  [[nodiscard]] std::vector<int> missing() {
    if (rank_ == 0) return ask_all();
    send(0, {Kind::late});
    Deadline const question(patience);  // which rank 0 asks at once
    Deadline const verdict(3 * patience);
    for (Pause pause;; pause()) {
      if (auto known = take_messages()) return *std::move(known);
      if (verdict.passed() || (question.passed() && !is_asked_)) return {0};
    }
  }

  /// Tells \p others that \p missing is.
  void notify(std::span<int const> others, int missing) {
    for (int const other : others) {
      if (other != rank_) send(other, Message::verdict({missing}));
    }
  }

 private:
  static constexpr std::chrono::seconds patience{2};

  enum class Kind : std::uint32_t { late = 0x6c617465U, question, here, verdict };
  struct Message {
    Kind kind;
    std::uint32_t count = 0;               // of missing ranks
    std::array<std::int32_t, 13> first{};  // of them

    static Message verdict(std::vector<int> const& missing) {
      Message made{Kind::verdict};
      made.count = static_cast<std::uint32_t>((std::min)(missing.size(), made.first.size()));
      (std::copy_n)(missing.begin(), made.count, made.first.begin());
      return made;
    }
    [[nodiscard]] std::vector<int> ranks() const {
      return {first.begin(), first.begin() + (std::min<std::size_t>)(count, first.size())};
    }
  };
  struct Sent {
    std::unique_ptr<Message> message;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  void send(int to, Message const& message) {
    auto& sent = sent_.emplace_back(Sent{std::make_unique<Message>(message)});
    (void)MPI_Isend(sent.message.get(), sizeof(Message), MPI_BYTE, to, tag_, communicator_, &sent.request);
  }
  /// A message that has come.
  [[nodiscard]] std::optional<Message> next(int& from) const {
    int come = 0, bytes = 0;
    MPI_Status status{};
    if (MPI_Iprobe(MPI_ANY_SOURCE, tag_, communicator_, &come, &status) != MPI_SUCCESS || come == 0)
      return std::nullopt;
    (void)MPI_Get_count(&status, MPI_BYTE, &bytes);
    if (bytes != sizeof(Message)) return std::nullopt;
    from = status.MPI_SOURCE;
    Message message{Kind::late};
    // All of it is there, as short as it is.
    if (MPI_Recv(&message, bytes, MPI_BYTE, from, tag_, communicator_, MPI_STATUS_IGNORE) != MPI_SUCCESS)
      return std::nullopt;
    return message;
  }

  /// \return the missing ranks, where another rank has said so.
  [[nodiscard]] std::optional<std::vector<int>> take_messages() {
    for (int from = 0; auto const message = next(from);) {
      switch (message->kind) {
        case Kind::late:
          another_is_late_ = true;
          break;
        case Kind::question:
          is_asked_ = true;
          send(from, {Kind::here});
          break;
        case Kind::here:
          if (!here_.empty()) here_[static_cast<std::size_t>(from)] = true;
          break;
        case Kind::verdict:
          return message->ranks();
      }
    }
    return std::nullopt;
  }
  /// Rank 0's part.
  [[nodiscard]] std::vector<int> ask_all() {
    another_is_late_ = false;
    here_.assign(static_cast<std::size_t>(size_), false);
    here_[0] = true;
    for (int other = 1; other < size_; ++other) send(other, {Kind::question});
    Deadline const deadline(patience);
    for (Pause pause; !deadline.passed() && std::find(here_.begin(), here_.end(), false) != here_.end(); pause()) {
      if (auto known = take_messages()) return *std::move(known);
    }
    std::vector<int> missing;
    for (int other = 1; other < size_; ++other) {
      if (!here_[static_cast<std::size_t>(other)]) missing.push_back(other);
    }
    for (int other = 1; other < size_; ++other) {
      if (here_[static_cast<std::size_t>(other)]) send(other, Message::verdict(missing));
    }
    return missing;
  }

  MPI_Comm communicator_;
  int rank_ = 0, size_ = 1;
  int tag_ = 32767;  // of every MPI
  std::vector<Sent> sent_;
  std::vector<bool> here_;  // by rank: who has answered rank 0
  bool is_asked_ = false;   // by rank 0
  bool another_is_late_ = false;
};

}  // namespace zero::detail
