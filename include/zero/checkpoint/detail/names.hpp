// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zero::detail {
inline constexpr std::string_view temporary_prefix = ".tmp.";  // of a checkpoint that is being written
inline constexpr std::string_view removed_prefix = ".removed.";
inline constexpr std::string_view manifest_name = "manifest.json";
inline constexpr std::string_view checkpoint_format = "zero checkpoint";  ///< what a manifest says that it is
inline constexpr std::string_view parameters_kind = "parameters";

/// Whether \p name is safe as the name of a file or folder, whoever wrote it: [A-Za-z0-9][A-Za-z0-9._-]{0,127}. So it
/// is never a path, hidden or an option.
[[nodiscard]] inline bool is_safe_name(std::string_view name) noexcept {
  auto const is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  auto const is_allowed = [&](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 128 && is_letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

/// Names of files in a folder of checkpoints that hold the tag of one of them.
inline constexpr std::array<std::string_view, 3> pointer_names{"latest", "best", "final"};

[[nodiscard]] inline bool is_pointer_name(std::string_view name) noexcept {
  return std::find(pointer_names.begin(), pointer_names.end(), name) != pointer_names.end();
}
/// What a file that is going to be the pointer \p name is called, up to a nonce.
[[nodiscard]] inline std::string hidden_pointer(std::string_view name) {
  return std::string(temporary_prefix) + std::string(name) + ".";
}
/// Whether \p name may be such a file, which a killed process has left; the folder of a tag such as "best.1", too.
[[nodiscard]] inline bool may_be_hidden_pointer(std::string_view name) {
  return std::any_of(pointer_names.begin(), pointer_names.end(),
                     [&](std::string_view pointer) { return name.starts_with(hidden_pointer(pointer)); });
}

[[nodiscard]] inline bool is_valid_tag(std::string_view tag) noexcept {
  return is_safe_name(tag) && !is_pointer_name(tag);
}

/// \throws CheckpointError (bad_request).
inline void check_tag(std::string_view tag) {
  if (is_valid_tag(tag)) return;
  throw CheckpointError(CheckpointFailure::bad_request,
                        concat({"zero: ", quote(tag.substr(0, 200)),
                                " cannot name a checkpoint: use up to 128 letters, digits, '.', '_' and '-', starting "
                                "with a letter or digit, and not latest, best or final: for example step-100"}));
}

/// The name of rank \p rank's file of one kind.
[[nodiscard]] inline std::string shard_name(std::string_view kind, int rank, int world) {
  auto const padded = [](int number) {
    auto const digits = std::to_string(number);
    return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
  };
  return std::string(kind) + "-" + padded(rank) + "-of-" + padded(world) + ".safetensors";
}

[[nodiscard]] inline std::string hex(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; value >>= 4U) text[i] = "0123456789abcdef"[value & 15U];
  return text;
}

}  // namespace zero::detail
