// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/owner_file.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/error.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// The files of a folder's owners, to be read.
class OwnerFiles {
 public:
  static constexpr std::uint64_t largest = 4096;  ///< bytes of one

  /// An owner and its file.
  struct Numbered {
    std::uint64_t number = 0;
    std::optional<Owner> owner{};  ///< nothing where the file does not say
    std::uint64_t modified = 0;    ///< by the clock of the machine that keeps the folder
  };

  /// \p system is borrowed.
  OwnerFiles(FileSystem& system, std::string root) : system_(system), root_(std::move(root)) {}

  [[nodiscard]] std::string const& root() const noexcept { return root_; }
  [[nodiscard]] std::string path(std::string_view name) const { return root_ + "/" + std::string(name); }

  /// In order. \throws CheckpointError.
  [[nodiscard]] std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> found;
    for (auto const& name : entries()) {
      if (auto const number = owner_number(name)) found.push_back(*number);
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// A file is opened for its time, which makes a network file system ask its server. \throws CheckpointError.
  [[nodiscard]] std::uint64_t modified(std::string const& file) const { return File::open(system_, file).modified(); }

  /// The owner of the highest number; nothing where there was never one. \throws CheckpointError.
  [[nodiscard]] std::optional<Numbered> newest() const {
    constexpr int attempts = 16;
    for (int i = 1;; ++i) {
      auto const found = numbers();
      if (found.empty()) return std::nullopt;
      try {
        return read(found.back());
      } catch (CheckpointError const& error) {
        // Gone since it was listed: somebody has made the next one.
        if (error.kind() != CheckpointFailure::not_found || i == attempts) throw;
      }
    }
  }

 private:
  [[nodiscard]] std::vector<std::string> entries() const {
    std::vector<std::string> names;
    check_file("list", root_, retry_interrupted([&] {
                 names.clear();
                 return system_.list(root_, names);
               }));
    return names;
  }
  [[nodiscard]] Numbered read(std::uint64_t number) const {
    auto const file = path(owner_name(number));
    Numbered owner{.number = number, .modified = modified(file)};
    try {
      owner.owner = parse_owner(read_text(system_, file, largest));
    } catch (CheckpointError const& error) {
      // It may be written just now; what it does not say, its age has to.
      if (error.kind() != CheckpointFailure::damaged) throw;
    }
    return owner;
  }

  FileSystem& system_;
  std::string root_;
};

}  // namespace zero::detail
