// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/config_error.hpp>
#include <zero/support/json_reader.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unordered_map>
#include <utility>

namespace zero::config::detail {

/// One configuration's text, what it says, and where it says it. Neither copied nor moved: the places are those of
/// addresses.
class Document {
 public:
  /// \p file is its name in errors. \throws ConfigError for what is no JSON of an object.
  Document(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {
    reject_other_encodings();
    zero::detail::JsonReader reader(text_, 64, zero::detail::JsonDialect::configuration);
    try {
      root_ = reader.read();
    } catch (zero::detail::JsonError const& error) {
      fail(error.at(), {}, error.what(), {});
    }
    if (root_.get<Json::Object>() == nullptr) fail(0, {}, "a configuration is an object", "put { and } around it");
    std::size_t next = 0;
    number(root_, reader.places(), next);
  }
  Document(Document const&) = delete;
  Document& operator=(Document const&) = delete;

  /// \throws ConfigError where \p path is no regular file, or is larger than any configuration.
  [[nodiscard]] static std::string text_of(std::string const& path) {
    constexpr auto most = std::size_t{16} << 20U;
    auto const refuse = [&](std::string_view why) { throw ConfigError({path, 0, 0, {}}, std::string(why), {}); };
    struct ::stat status {};
    if (::stat(path.c_str(), &status) != 0) refuse("there is no such file, or it cannot be reached");
    if (!S_ISREG(status.st_mode)) refuse("is no regular file");
    if (static_cast<std::size_t>(status.st_size) > most) refuse("is larger than 16 MiB, and so is no configuration");
    std::ifstream stream(path, std::ios::binary);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.good() && !(stream.eof() && text.empty())) refuse("cannot be read");
    return text;
  }

  [[nodiscard]] Json const& root() const noexcept { return root_; }
  [[nodiscard]] std::string const& file() const noexcept { return file_; }

  /// Fails at the value \p at, which is part of the document, or at its name.
  [[noreturn]] void fail_value(Json const& at, std::string key, std::string problem, std::string cure) const {
    fail(places_.at(&at).value, std::move(key), std::move(problem), std::move(cure));
  }
  [[noreturn]] void fail_name(Json const& at, std::string key, std::string problem, std::string cure) const {
    fail(places_.at(&at).name, std::move(key), std::move(problem), std::move(cure));
  }

 private:
  void reject_other_encodings() const {
    auto const starts = [&](std::string_view mark) { return std::string_view(text_).starts_with(mark); };
    std::string_view const cure = "save it as UTF-8 without one";
    if (starts("\xEF\xBB\xBF")) fail(0, {}, "it begins with a byte order mark", std::string(cure));
    bool const wide =
        starts("\xFF\xFE") || starts("\xFE\xFF") || (text_.size() > 1 && (text_[0] == 0 || text_[1] == 0));
    if (wide) fail(0, {}, "it is UTF-16 or UTF-32", "save it as UTF-8");
  }

  void number(Json const& value, std::vector<zero::detail::JsonPlace> const& places, std::size_t& next) {
    places_[&value] = places[next++];
    if (auto const* const object = value.get<Json::Object>()) {
      for (auto const& member : *object) number(member.second, places, next);
    } else if (auto const* const array = value.get<Json::Array>()) {
      for (auto const& element : *array) number(element, places, next);
    }
  }

  [[noreturn]] void fail(std::size_t at, std::string key, std::string problem, std::string cure) const {
    std::size_t line = 1, begin = 0;
    for (std::size_t i = 0; i < at && i < text_.size(); ++i) {
      if (text_[i] == '\n') ++line, begin = i + 1;
    }
    throw ConfigError({file_, line, at - begin + 1, std::move(key)}, std::move(problem), std::move(cure));
  }

  std::string file_, text_;
  Json root_;
  std::unordered_map<Json const*, zero::detail::JsonPlace> places_;
};

}  // namespace zero::config::detail
