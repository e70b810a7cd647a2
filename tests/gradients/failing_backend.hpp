// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backends/host.hpp>
#include <zero/communicators/self.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace gradients_test {

/// What a call throws that is made to fail.
struct InjectedError : std::runtime_error {
  InjectedError() : std::runtime_error("injected") {}
};

/// Decides which calls fail: one of them, or that and all that follow it.
class Faults {
 public:
  /// Lets call number \p n from here on fail, counted from 0.
  void inject(int n, bool all_further) {
    left_ = n, all_further_ = all_further;
    injected_ = false;
  }
  void stop() noexcept { left_ = -1; }
  [[nodiscard]] bool injected() const noexcept { return injected_; }

  void call() {
    if (left_ < 0) return;
    if (left_ > 0) {
      --left_;
      return;
    }
    if (!all_further_) left_ = -1;
    injected_ = true;
    throw InjectedError();
  }

 private:
  int left_ = -1;
  bool all_further_ = false;
  bool injected_ = false;
};

/// A host backend whose calls fail when they are told to.
class FailingBackend : public zero::HostBackend {
 public:
  struct Config : zero::HostBackend::Config {
    Faults* faults = nullptr;  ///< borrowed
  };

  FailingBackend(Config const& config, int local_ranks)
      : zero::HostBackend(config, local_ranks), faults_(*config.faults) {}

  void record(Event& event, Stream stream) {
    faults_.call();
    zero::HostBackend::record(event, stream);
  }
  void wait(Stream stream, Event const& event) {
    faults_.call();
    zero::HostBackend::wait(stream, event);
  }
  void zero(void* to, std::size_t bytes, Stream stream) {
    faults_.call();
    zero::HostBackend::zero(to, bytes, stream);
  }
  void copy(void* to, void const* from, std::size_t bytes, Stream stream) {
    faults_.call();
    zero::HostBackend::copy(to, from, bytes, stream);
  }
  void copy_on_host(void* to, void const* from, std::size_t bytes, Stream stream) {
    faults_.call();
    zero::HostBackend::copy_on_host(to, from, bytes, stream);
  }
  void copy_many(std::span<zero::CopyRange const> ranges, Stream stream) {
    faults_.call();
    zero::HostBackend::copy_many(ranges, stream);
  }
  template <class Sum, class T>
  void accumulate(Sum* into, T const* from, std::size_t n, bool first, Stream stream) {
    faults_.call();
    zero::HostBackend::accumulate(into, from, n, first, stream);
  }
  template <class Sum>
  void squares(zero::NormWords norm, zero::SegmentView const& segments, Sum const* slice, Stream stream) {
    faults_.call();
    zero::HostBackend::squares(norm, segments, slice, stream);
  }

 private:
  Faults& faults_;
};
static_assert(zero::backend_policy<FailingBackend>);

/// A world of one rank whose collectives fail when they are told to.
class FailingCommunicator {
 public:
  explicit FailingCommunicator(Faults& faults) : faults_(faults) {}

  [[nodiscard]] int rank() const { return 0; }
  [[nodiscard]] int size() const { return 1; }
  [[nodiscard]] int local_size() const { return 1; }

  template <class Sum, class T>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream) {
    faults_.call();
    self_.reduce_scatter_add(send, into, count, range, purpose, stream);
  }
  template <class T>
  void all_gather(T const* own, T* full, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    faults_.call();
    self_.all_gather(own, full, count, purpose, stream);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    faults_.call();
    self_.all_reduce(words, count, purpose, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) { self_.exchange(mine, all); }

 private:
  Faults& faults_;
  zero::SelfCommunicator self_;
};

}  // namespace gradients_test
