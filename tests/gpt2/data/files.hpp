// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <support/data_error.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

/// Files of tokens that tests make.
namespace data_test {

namespace fs = std::filesystem;

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    static std::atomic<int> number{0};
    path_ = fs::temp_directory_path() / ("zero data " + std::to_string(::getpid()) + "-" + std::to_string(++number));
    fs::create_directories(path_);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string operator/(std::string const& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string path() const { return path_.string(); }
  std::string write(std::string const& name, std::string const& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return *this / name;
  }

 private:
  fs::path path_;
};

/// Little-endian integers of so many bytes.
inline std::string bytes_of(std::vector<std::uint32_t> const& values, std::size_t each) {
  std::string bytes;
  for (auto const value : values) {
    for (std::size_t i = 0; i < each; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  }
  return bytes;
}

/// llm.c's header.
inline std::string header(std::uint32_t magic, std::uint32_t version, std::uint32_t count) {
  std::string bytes = bytes_of({magic, version, count}, 4);
  bytes.resize(1024);
  return bytes;
}

/// Tokens that tell where they are: first, first + 1, ...
inline std::vector<std::uint32_t> counting(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> tokens(count);
  for (std::uint32_t i = 0; i < count; ++i) tokens[i] = first + i;
  return tokens;
}

inline std::string gpt2_shard(std::vector<std::uint32_t> const& tokens) {
  return header(20240520, 1, static_cast<std::uint32_t>(tokens.size())) + bytes_of(tokens, 2);
}

inline bool says(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// What a DataError of \p f says, which must be one line.
template <class Error = command_line::DataError, class F>
std::string complaint(F const& f) {
  try {
    f();
  } catch (Error const& error) {
    std::string text = error.what();
    CHECK(text.find('\n') == std::string::npos);
    return text;
  }
  return "nothing";
}

}  // namespace data_test
