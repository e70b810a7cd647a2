// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/call_site.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/reusable_vector.hpp>

namespace zero::detail {

/// Remembers where a set of streams stands, so that another stream can wait for all of them: the event of a stream that
/// is recorded again moves on. Owns its events; allocates only for a stream that it has not seen.
template <class Backend>
class StreamFence {
 public:
  using Stream = typename Backend::Stream;

  /// What has been put on \p stream so far is to be waited for. \p site is the caller, for a backend that asks.
  void record(Backend& backend, Stream stream, CallSite site = CallSite::current()) {
    for (auto& entry : entries_) {
      if (entry.stream != stream) continue;
      record_event(backend, entry.event, stream, site);
      entry.pending = true;
      return;
    }
    record_event(backend, add(stream).event, stream, site);
  }

  /// \p stream waits for all that was recorded since the last reset. Does not block the host.
  void make_wait(Backend& backend, Stream stream, CallSite site = CallSite::current()) const {
    for (auto const& entry : entries_) {
      if (entry.pending && entry.stream != stream) wait_for(backend, stream, entry.event, site);
    }
  }

  void reset() noexcept {
    for (auto& entry : entries_) entry.pending = false;
  }

 private:
  static void record_event(Backend& backend, typename Backend::Event& event, Stream stream, CallSite site) {
    if constexpr (backend_facts<Backend>().takes_call_sites) {
      backend.record(event, stream, site);
    } else {
      backend.record(event, stream);
    }
  }
  static void wait_for(Backend& backend, Stream stream, typename Backend::Event const& event, CallSite site) {
    if constexpr (backend_facts<Backend>().takes_call_sites) {
      backend.wait(stream, event, site);
    } else {
      backend.wait(stream, event);
    }
  }

  struct Entry {
    Stream stream{};
    typename Backend::Event event{};
    bool pending = true;
  };
  ZERO_OUT_OF_LINE Entry& add(Stream stream) {
    auto& entry = entries_.emplace_reused();
    entry.stream = stream;
    return entry;
  }

  ReusableVector<Entry> entries_;
};

}  // namespace zero::detail
