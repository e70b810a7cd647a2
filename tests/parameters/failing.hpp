// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backends/host.hpp>
#include <zero/communicators/self.hpp>
#include <zero/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace parameters_test {

/// Counts calls, and says which of them are to fail: none, until it is armed.
class FailurePlan {
 public:
  /// The call after \p passing further ones fails; all later ones too where \p lasting.
  void arm(int passing, bool lasting = false) {
    passing_ = passing;
    lasting_ = lasting;
  }
  void disarm() { passing_ = never; }
  /// Counts one call.
  [[nodiscard]] bool fails() {
    ++calls_;
    if (passing_ == never) return false;
    if (passing_ > 0) {
      --passing_;
      return false;
    }
    if (!lasting_) disarm();
    return true;
  }
  [[nodiscard]] int calls() const { return calls_; }

 private:
  static constexpr int never = -1;
  int passing_ = never;
  bool lasting_ = false;
  int calls_ = 0;
};

/// A world of one rank, whose collectives fail as planned, before they do anything.
class FailingCommunicator {
 public:
  explicit FailingCommunicator(FailurePlan& plan) : plan_(plan) {}

  [[nodiscard]] int rank() const { return self_.rank(); }
  [[nodiscard]] int size() const { return self_.size(); }
  [[nodiscard]] int local_size() const { return self_.local_size(); }

  template <class Sum, class T>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream) {
    pass();
    self_.reduce_scatter_add(send, into, count, range, purpose, stream);
  }
  template <class T>
  void all_gather(T const* own, T* full, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    pass();
    self_.all_gather(own, full, count, purpose, stream);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    pass();
    self_.all_reduce(words, count, purpose, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    pass();
    self_.exchange(mine, all);
  }

 private:
  void pass() {
    if (!plan_.fails()) return;
    throw zero::CommunicationError(zero::CommunicationFailure::transport, {}, "a collective that fails as planned");
  }

  FailurePlan& plan_;
  zero::SelfCommunicator self_;
};

/// What an event of a FailingBackend throws.
struct EventFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A host backend whose records of events and waits for them fail as planned.
class FailingBackend : public zero::HostBackend {
 public:
  struct Config : zero::HostBackend::Config {
    FailurePlan* plan = nullptr;
  };
  FailingBackend(Config const& config, int local_ranks) : HostBackend(config, local_ranks), plan_(config.plan) {}

  void record(Event& event, Stream stream) {
    if (plan_->fails()) throw EventFailure("an event that cannot be recorded, as planned");
    HostBackend::record(event, stream);
  }
  void wait(Stream stream, Event const& event) {
    if (plan_->fails()) throw EventFailure("a wait that fails as planned");
    HostBackend::wait(stream, event);
  }

 private:
  FailurePlan* plan_;
};

}  // namespace parameters_test
