// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/process_identity.hpp>
#include <zero/error.hpp>
#include <zero/support/json_reader.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zero::detail {

inline constexpr std::string_view owner_prefix = ".owner.";          // and a number: who owns the folder
inline constexpr std::string_view new_owner_prefix = ".owner.new.";  // and a nonce: who is about to own it

/// What one owner of a folder says of itself.
struct Owner {
  ProcessIdentity process;
  std::string nonce;          ///< of this one lock
  bool has_released = false;  ///< it has ended well: whoever comes may own the folder
};

/// The number of an owner's file; nothing for any other name.
[[nodiscard]] inline std::optional<std::uint64_t> owner_number(std::string_view name) {
  if (!name.starts_with(owner_prefix)) return std::nullopt;
  auto const digits = name.substr(owner_prefix.size());
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool const is_number = error == std::errc{} && end == digits.data() + digits.size() && digits.size() <= 18;
  return is_number && number > 0 && digits.front() != '0' ? std::optional(number) : std::nullopt;
}

[[nodiscard]] inline std::string owner_name(std::uint64_t number) {
  return std::string(owner_prefix) + std::to_string(number);
}

[[nodiscard]] inline std::string to_text(Owner const& owner) {
  return zero::to_text(Json(Json::Object{{"host", owner.process.host},
                                         {"boot", owner.process.boot},
                                         {"pid", owner.process.pid},
                                         {"start_time", owner.process.start_time},
                                         {"pid_namespace", owner.process.pid_namespace},
                                         {"nonce", owner.nonce},
                                         {"released", owner.has_released}})) +
         "\n";
}

/// Nothing where \p text is not what an owner writes: it may have been killed while it wrote.
[[nodiscard]] inline std::optional<Owner> parse_owner(std::string_view text) {
  Json json;
  try {
    json = parse_json(text, 2);
  } catch (CheckpointError const&) {
    return std::nullopt;
  }
  auto const string = [&](char const* name) {
    auto const* const value = json.find(name);
    auto const* const found = value == nullptr ? nullptr : value->get<std::string>();
    return found == nullptr ? std::string() : *found;
  };
  auto const number = [&](char const* name) {
    auto const* const value = json.find(name);
    auto const* const found = value == nullptr ? nullptr : value->get<std::uint64_t>();
    return found == nullptr ? 0 : *found;
  };
  auto const* const released = json.find("released");
  auto const* const has_released = released == nullptr ? nullptr : released->get<bool>();
  Owner owner{.process = {.host = string("host"),
                          .boot = string("boot"),
                          .pid_namespace = string("pid_namespace"),
                          .pid = number("pid"),
                          .start_time = number("start_time")},
              .nonce = string("nonce"),
              .has_released = has_released != nullptr && *has_released};
  return owner.nonce.empty() ? std::nullopt : std::optional(std::move(owner));
}

/// "process 17 on 'node-3'".
[[nodiscard]] inline std::string describe(std::optional<Owner> const& owner) {
  if (!owner) return "an unknown process";
  return concat({"process ", owner->process.pid, " on ", quote(owner->process.host)});
}

}  // namespace zero::detail
