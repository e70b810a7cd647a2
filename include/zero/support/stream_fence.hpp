// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/call_site.hpp>
#include <zero/support/reusable_vector.hpp>

namespace zero::detail {

/// Remembers where a set of streams stands, so that another stream can wait for all of them: the event of a stream that
/// is noted again moves on to its new place. Owns its events; allocates only for a stream that it has not seen.
template <class Backend>
class StreamFence {
 public:
  using Stream = typename Backend::Stream;

  /// What has been put on \p stream so far is to be waited for. \p site is the caller, for a backend that asks.
  void note(Backend& backend, Stream stream, CallSite site = CallSite::current()) {
    for (auto& mark : marks_) {
      if (mark.stream != stream) continue;
      record(backend, mark.event, stream, site);
      mark.pending = true;
      return;
    }
    record(backend, add(stream).event, stream, site);
  }

  /// \p stream waits for all that was noted and not cleared. Does not block the host.
  void join(Backend& backend, Stream stream, CallSite site = CallSite::current()) const {
    for (auto const& mark : marks_) {
      if (mark.pending && mark.stream != stream) wait(backend, stream, mark.event, site);
    }
  }

  void clear() noexcept {
    for (auto& mark : marks_) mark.pending = false;
  }

 private:
  static void record(Backend& backend, typename Backend::Event& event, Stream stream, CallSite site) {
    if constexpr (requires { backend.record(event, stream, site); }) {
      backend.record(event, stream, site);
    } else {
      backend.record(event, stream);
    }
  }
  static void wait(Backend& backend, Stream stream, typename Backend::Event const& event, CallSite site) {
    if constexpr (requires { backend.wait(stream, event, site); }) {
      backend.wait(stream, event, site);
    } else {
      backend.wait(stream, event);
    }
  }

  struct Mark {
    Stream stream{};
    typename Backend::Event event{};
    bool pending = true;
  };
  [[gnu::noinline]] Mark& add(Stream stream) {
    auto& mark = marks_.add();
    mark.stream = stream;
    return mark;
  }

  ReusableVector<Mark> marks_;
};

}  // namespace zero::detail
