// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>

#include <vector>

namespace zero {

/// Remembers where a set of streams stands, so that another stream can wait for all of them: the event of a stream that
/// is noted again moves on to its new place. Owns its events; allocates only for a stream that it has not seen.
template <class Backend>
class StreamJoin {
 public:
  using Stream = typename Backend::Stream;

  /// What has been put on \p stream so far is to be waited for.
  void note(Backend& backend, Stream stream) {
    for (auto& mark : marks_) {
      if (mark.stream != stream) continue;
      backend.record(mark.event, stream);
      mark.pending = true;
      return;
    }
    backend.record(marks_.emplace_back(stream).event, stream);
  }

  /// \p stream waits for all that was noted and not cleared. Does not block the host.
  void join(Backend& backend, Stream stream) const {
    for (auto const& mark : marks_) {
      if (mark.pending && mark.stream != stream) backend.wait(stream, mark.event);
    }
  }

  void clear() noexcept {
    for (auto& mark : marks_) mark.pending = false;
  }

 private:
  struct Mark {
    explicit Mark(Stream s) : stream(s) {}
    Stream stream;
    typename Backend::Event event{};
    bool pending = true;
  };
  std::vector<Mark> marks_;
};

}  // namespace zero
