// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/entry.hpp>
#include <zero/config/detail/raw_settings.hpp>
#include <zero/config/treatment.hpp>

#include <cstdint>
#include <string_view>

namespace zero::config::detail {

/// What a key may hold.
enum class Shape : std::uint8_t {
  boolean,
  whole,    ///< from 0
  integer,  ///< below 0, too
  number,
  text,
  list,
  section,  ///< an object, whose members have rows of their own
  any,
};

/// One key of a configuration: what becomes of it, in one row.
struct KeyRow {
  std::string_view path;  ///< such as `zero_optimization.stage`
  Treatment treatment;    ///< what becomes of it
  Shape shape;            ///< what it may hold
  std::string_view
      accepted;           ///< JSON of values, with '|' between them: of `always`, those that may stand there (empty:
                          ///< all); of `refused`, those that ask for nothing; of `applied`, those that mean absent
  std::string_view says;  ///< what it does here, why it is refused and what to write instead
  void (*apply)(RawSettings&, Entry const&) = nullptr;
  std::string_view other_names = {};  ///< nanoGPT's and llm.c's
};

/// A key that changes what a run does.
constexpr KeyRow applied(std::string_view path, Shape shape, std::string_view says,
                         void (*apply)(RawSettings&, Entry const&), std::string_view other_names = {},
                         std::string_view absent = {}) {
  return {path, Treatment::applied, shape, absent, says, apply, other_names};
}
/// An object whose members have rows of their own.
constexpr KeyRow section(std::string_view path, std::string_view says,
                         void (*apply)(RawSettings&, Entry const&) = nullptr) {
  return {path, Treatment::applied, Shape::section, {}, says, apply};
}
/// A key whose value is so anyway; with \p accepted, no other value may stand there.
constexpr KeyRow always(std::string_view path, Shape shape, std::string_view says, std::string_view accepted = {}) {
  return {path, Treatment::always, shape, accepted, says};
}
/// A key that cannot be had; with one of the values \p harmless it asks for nothing.
constexpr KeyRow refused(std::string_view path, std::string_view says, std::string_view harmless = "false|null") {
  return {path, Treatment::refused, Shape::any, harmless, says};
}
/// A member of a section that is refused, or always so, as a whole.
constexpr KeyRow of_its_section(std::string_view path, Shape shape) {
  return {path, Treatment::of_its_section, shape, {}, "what becomes of its section"};
}

}  // namespace zero::config::detail
