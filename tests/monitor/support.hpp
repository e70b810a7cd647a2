// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/monitor/event.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <stdlib.h>

namespace monitor_test {

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "zero-monitor-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  [[nodiscard]] std::string const& path() const noexcept { return path_; }

 private:
  std::string path_;
};

inline std::string content(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void append(std::string const& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
}

/// The names in a folder, sorted.
inline std::vector<std::string> names_in(std::string const& path) {
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(path)) {
    auto const name = entry.path().filename().string();
    if (!name.starts_with('.')) names.push_back(name);  // else a lock
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Keeps what a monitor warns of.
struct Warnings {
  std::vector<std::string> said;
  zero::monitor::Warning warning() {
    return [this](std::string const& what) { said.push_back(what); };
  }
  [[nodiscard]] bool says(std::string_view part) const {
    return std::any_of(said.begin(), said.end(), [&](auto const& s) { return s.find(part) != std::string::npos; });
  }
};

/// What the ConfigurationError says that \p f throws; empty where it throws none.
template <class F>
std::string refusal_of(F&& f) {
  try {
    f();
  } catch (zero::ConfigurationError const& error) {
    return error.what();
  }
  return {};
}

}  // namespace monitor_test
