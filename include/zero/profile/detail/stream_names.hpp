// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// Streams by number, in the order in which they were first seen, and their names. Those beyond 32 share the last
/// number.
template <class Stream>
class StreamNames {
 public:
  StreamNames() { streams_.reserve(most); }

  [[nodiscard]] std::uint32_t number_of(Stream stream) {
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (streams_[i].stream == stream) return static_cast<std::uint32_t>(i);
    }
    if (streams_.size() == most) return most - 1;
    streams_.push_back({stream, "stream " + std::to_string(streams_.size()), false});
    return static_cast<std::uint32_t>(streams_.size() - 1);
  }
  /// The first name that a stream is given stays.
  void set_name(Stream stream, std::string_view name) {
    auto& known = streams_[number_of(stream)];
    if (!known.is_named) known = {stream, std::string(name), true};
  }
  /// Valid until the stream is given a name.
  [[nodiscard]] std::string_view name(std::uint32_t number) const { return streams_[number].name; }

 private:
  struct KnownStream {
    Stream stream{};
    std::string name;
    bool is_named = false;
  };

  static constexpr std::size_t most = 32;

  std::vector<KnownStream> streams_;
};

}  // namespace zero::detail
