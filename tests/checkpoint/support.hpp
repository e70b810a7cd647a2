// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <stdlib.h>

namespace checkpoint_test {

/// The kind of CheckpointError that `f` throws and its message; a failed check if it throws nothing or something else.
struct Thrown {
  std::optional<zero::CheckpointFailure> kind;
  std::string message;
  [[nodiscard]] bool says(std::string_view part) const { return message.find(part) != std::string::npos; }
};

template <class F>
Thrown thrown_by(F&& f) {
  try {
    f();
  } catch (zero::CheckpointError const& error) {
    return {error.kind(), error.what()};
  } catch (std::exception const& error) {
    FAIL_CHECK("another error: " << error.what());
    return {};
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

inline std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zero-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  [[nodiscard]] std::string const& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace checkpoint_test
