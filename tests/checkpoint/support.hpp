// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace checkpoint_test {

/// Whether this is a sanitizer's build, which looks for other errors and takes ten times as long: there a few of each
/// kind of fault stand in for all.
#ifdef ZERO_TEST_ONE_TYPE
inline constexpr bool is_sampled = true;
#else
inline constexpr bool is_sampled = false;
#endif

/// The kind of CheckpointError that `f` throws and its message; a failed check if it throws nothing or something else.
struct Thrown {
  std::optional<zero::CheckpointFailure> kind;
  std::string message;
  [[nodiscard]] bool says(std::string_view part) const { return message.find(part) != std::string::npos; }
};

Thrown thrown_by(std::function<void()> const& f);

inline std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  [[nodiscard]] std::string const& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace checkpoint_test
