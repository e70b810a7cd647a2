// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "error.hpp"

#include <zero/engine_config.hpp>
#include <zero/kernels/detail/rule_settings.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace zero::c {

/// One setting of a caller's: a name, and a text or a number. Every reading throws ConfigurationError, which names it,
/// where the value is of another kind.
class Setting {
 public:
  /// Largest whole number of a setting that is an int.
  static constexpr std::int64_t most_int = (std::numeric_limits<int>::max)();

  /// Borrows the texts of \p given.
  explicit Setting(zero_setting const& given)
      : name_(given.name == nullptr ? std::string_view() : std::string_view(given.name)), number_(given.number) {
    if (given.name == nullptr) {
      throw ConfigurationError("zero_engine_create: the name of a setting is null: pass as many as there are");
    }
    if (given.text != nullptr) text_ = given.text;
  }

  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] bool is_text(std::string_view text) const noexcept { return text_ == text; }

  [[nodiscard]] std::string_view text() const {
    if (!text_) fail("is a number", "write a text");
    return *text_;
  }
  [[nodiscard]] double number() const {
    if (!text_) return number_;
    double value = 0.0;
    auto const* const end = text_->data() + text_->size();
    auto const [last, error] = std::from_chars(text_->data(), end, value);
    if (error != std::errc() || last != end) fail_value("is no number", "write one, such as 0.1 or 1e-4");
    return value;
  }
  [[nodiscard]] std::int64_t whole(std::int64_t from, std::int64_t to) const {
    double const value = number();
    bool const fits = value >= static_cast<double>(from) && value <= static_cast<double>(to);
    if (!fits || value != std::floor(value)) {
      fail_value("is no whole number that can be", detail::concat({"write one from ", from, " to ", to}));
    }
    return static_cast<std::int64_t>(value);
  }
  [[nodiscard]] bool flag() const {
    if (is_text("true")) return true;
    if (is_text("false")) return false;
    return whole(0, 1) == 1;
  }
  /// The place among \p names of the one that it says.
  [[nodiscard]] std::size_t choice(std::span<std::string_view const> names) const {
    std::string all;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (is_text(names[i])) return i;
      all += detail::concat({i > 0 ? ", " : "", names[i]});
    }
    fail_value("is none of its values", detail::concat({"write one of ", all}));
  }

  void assign_to(double& member) const { member = number(); }
  void assign_to(float& member) const { member = static_cast<float>(number()); }
  void assign_to(bool& member) const { member = flag(); }
  void assign_to(int& member) const { member = static_cast<int>(whole(0, most_int)); }
  void assign_to(std::uint32_t& member) const { member = static_cast<std::uint32_t>(whole(0, most_int)); }
  void assign_to(std::size_t& member) const { member = static_cast<std::size_t>(whole(0, std::int64_t{1} << 50U)); }
  void assign_to(Reduce& member) const {
    static constexpr std::string_view names[] = {"each_micro_batch", "once_per_step"};
    member = static_cast<Reduce>(choice(names));
  }
  void assign_to(MissingGradient& member) const {
    static constexpr std::string_view names[] = {"error", "zero"};
    member = static_cast<MissingGradient>(choice(names));
  }
  template <class Type>
  void assign_to(std::optional<Type>& member) const {
    Type value{};
    assign_to(value);
    member = value;
  }

  [[noreturn]] void fail(std::string_view problem, std::string_view cure) const {
    detail::fail<ConfigurationError>({"zero_engine_create: setting ", detail::quote(name_), " ", problem, ": ", cure});
  }

 private:
  /// The shortest text that is read as \p number again.
  [[nodiscard]] static std::string shortest(double number) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, number).ptr};
  }
  [[noreturn]] void fail_value(std::string_view problem, std::string_view cure) const {
    auto const value = text_ ? std::string(*text_) : shortest(number_);
    fail(detail::concat({"has the value ", detail::quote(value), ", which ", problem}), cure);
  }

  std::string_view name_;
  std::optional<std::string_view> text_{};
  double number_;
};

}  // namespace zero::c
