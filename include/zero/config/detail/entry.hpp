// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/document.hpp>
#include <zero/config/detail/indented_json.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace zero::config::detail {

/// One value of a document and the key that it belongs to. Refers to the document.
class Entry {
 public:
  Entry(Document const& document, Json const& value, std::string key)
      : document_(&document), value_(&value), key_(std::move(key)) {}

  [[nodiscard]] std::string const& key() const noexcept { return key_; }
  /// The last part of it.
  [[nodiscard]] std::string_view name() const noexcept { return std::string_view(key_).substr(key_.rfind('.') + 1); }
  [[nodiscard]] Json const& json() const noexcept { return *value_; }
  [[nodiscard]] bool is_auto() const noexcept {
    auto const* const text = value_->get<std::string>();
    return text != nullptr && *text == "auto";
  }

  /// A whole number in [\p least, \p most], which may be written as 5e8.
  [[nodiscard]] std::uint64_t whole(std::uint64_t least, std::uint64_t most) const {
    auto const number = number_of("a whole number");
    bool const is_whole = std::floor(number) == number;
    if (!is_whole) fail(zero::detail::concat({text(), " is not a whole number"}), {});
    bool const fits = number >= static_cast<double>(least) && number <= static_cast<double>(most);
    if (!fits) fail(zero::detail::concat({text(), " is not from ", least, " to ", most}), {});
    if (auto const* const exact = value_->get<std::uint64_t>()) return *exact;
    return static_cast<std::uint64_t>(number);
  }
  /// Any whole number.
  void integer() const {
    if (auto const number = number_of("a whole number"); std::floor(number) != number) {
      fail(zero::detail::concat({text(), " is not a whole number"}), {});
    }
  }
  /// A number that is finite, and for which \p fits says so; \p range says which those are.
  template <class Fits>
  [[nodiscard]] double real(Fits const& fits, std::string_view range) const {
    auto const number = number_of("a number");
    if (!fits(number)) fail(zero::detail::concat({text(), " is not ", range}), {});
    return number;
  }
  /// A number from 0 to 10^30, which is above every rate, decay or threshold that anybody can mean.
  [[nodiscard]] double not_negative() const {
    if (number_of("a number") < 0.0) fail(zero::detail::concat({text(), " is negative"}), {});
    return real([](double x) { return x <= 1e30; }, "a number from 0 to 1e30");
  }
  [[nodiscard]] bool flag() const {
    if (auto const* const value = value_->get<bool>()) return *value;
    fail_type("true or false");
  }
  [[nodiscard]] std::string const& string() const {
    if (auto const* const value = value_->get<std::string>()) return *value;
    fail_type("text in quotation marks");
  }
  /// The same entry, which must hold text.
  [[nodiscard]] Entry const& of_text() const {
    static_cast<void>(string());
    return *this;
  }
  /// The \p k-th of a list.
  [[nodiscard]] Entry element(std::size_t k) const {
    return {*document_, (*value_->get<Json::Array>())[k], zero::detail::concat({key_, "[", k, "]"})};
  }
  /// The number of elements of a list.
  [[nodiscard]] std::size_t list() const {
    if (auto const* const value = value_->get<Json::Array>()) return value->size();
    fail_type("a list in square brackets");
  }

  /// The trainer's own value. \throws ConfigError where it has none.
  template <class Value>
  [[nodiscard]] Value automatic(std::optional<Value> const& own) const {
    if (own) return *own;
    fail("this program has no value of its own for \"auto\"", "write one");
  }

  /// The value as JSON, cut where it is long.
  [[nodiscard]] std::string text() const {
    std::string text;
    if (auto const* const number = value_->get<double>()) {
      write_short_number(text, *number);
    } else {
      text = to_text(*value_);
    }
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
  }
  [[noreturn]] void fail(std::string problem, std::string cure) const {
    document_->fail_value(*value_, key_, std::move(problem), std::move(cure));
  }
  [[noreturn]] void fail_name(std::string problem, std::string cure) const {
    document_->fail_name(*value_, key_, std::move(problem), std::move(cure));
  }

 private:
  [[nodiscard]] double number_of(std::string_view what) const {
    double number = 0.0;
    if (auto const* const natural = value_->get<std::uint64_t>()) {
      number = static_cast<double>(*natural);
    } else if (auto const* const negative = value_->get<std::int64_t>()) {
      number = static_cast<double>(*negative);
    } else if (auto const* const real = value_->get<double>()) {
      number = *real;
    } else {
      fail_type(what);
    }
    return number;
  }
  [[noreturn]] void fail_type(std::string_view expected) const {
    auto const* const written = value_->get<std::string>();
    bool const is_quoted_number =
        written != nullptr && !written->empty() && written->find_first_not_of("0123456789.eE+-") == std::string::npos;
    fail(zero::detail::concat({text(), " is not ", expected}),
         is_quoted_number ? "leave the quotation marks out" : std::string());
  }

  Document const* document_;
  Json const* value_;
  std::string key_;
};

}  // namespace zero::config::detail
