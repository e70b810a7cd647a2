// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace zero::c {

/// Bytes of a struct in the first release that had it: no program passes fewer. Where a struct grows, its line here
/// stays at what it was. It grows by members behind the last one that make it larger: what was padding may hold
/// anything.
template <class Struct>
inline constexpr std::size_t first_size = sizeof(Struct);

/// Largest struct that a newer program may pass: a number beyond it is no size, and what it says is not read.
inline constexpr std::size_t largest_struct = 4096;

/// The size that a caller's struct says it has. \throws InterfaceError for one of no release.
template <class Struct>
[[nodiscard]] std::size_t checked_size(Struct const* given, char const* function, char const* name) {
  static_assert(std::is_trivially_copyable_v<Struct> && std::is_standard_layout_v<Struct>);
  (void)required(given, function, name);
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  if (size >= first_size<Struct> && size <= largest_struct) return size;
  fail(ZERO_ERROR_STRUCT_SIZE, {function, ": the size of ", name, " is ", size, ", but the struct has ", sizeof(Struct),
                                " bytes: set its first member to its sizeof"});
}

/// A caller's struct as this library knows it: members that a smaller one lacks are zero. \throws InterfaceError for
/// sizes of no release, and where a larger one asks for what is not known here.
template <class Struct>
[[nodiscard]] Struct read_struct(Struct const* given, char const* function, char const* name) {
  auto const size = checked_size(given, function, name);
  Struct known{};
  std::memcpy(&known, given, (std::min)(size, sizeof known));
  auto const* const bytes = reinterpret_cast<unsigned char const*>(given);
  for (std::size_t i = sizeof known; i < size; ++i) {
    if (bytes[i] == 0) continue;
    fail(ZERO_ERROR_STRUCT_SIZE, {function, ": ", name,
                                  " sets a member that this version of the library does not know: install the version "
                                  "that the program was compiled for"});
  }
  return known;
}

/// The same of one that may be left out.
template <class Struct>
[[nodiscard]] Struct read_struct_or_default(Struct const* given, char const* function, char const* name) {
  return given == nullptr ? Struct{} : read_struct(given, function, name);
}

/// A caller's struct that is filled in once the call has succeeded: what it lacks is left out, and what is not known
/// here is zero. Checks the size when it is made, before anything happens.
template <class Struct>
class Filled {
 public:
  /// Of nothing.
  Filled() = default;
  Filled(Struct* given, char const* function, char const* name)
      : given_(given), size_(checked_size(given, function, name)) {}

  void write(Struct value) const noexcept {
    value.size = size_;
    std::memcpy(given_, &value, (std::min)(size_, sizeof value));
    if (size_ > sizeof value) std::memset(reinterpret_cast<char*>(given_) + sizeof value, 0, size_ - sizeof value);
  }

 private:
  Struct* given_ = nullptr;
  std::size_t size_ = 0;
};

/// The same of one that may be null.
template <class Struct>
class FilledOrNull : public Filled<Struct> {
 public:
  FilledOrNull(Struct* given, char const* function, char const* name)
      : Filled<Struct>(given == nullptr ? Filled<Struct>() : Filled<Struct>(given, function, name)),
        wanted_(given != nullptr) {}

  void write(Struct const& value) const noexcept {
    if (wanted_) Filled<Struct>::write(value);
  }

 private:
  bool wanted_;
};

}  // namespace zero::c
