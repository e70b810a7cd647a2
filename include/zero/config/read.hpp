// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/config/detail/reader.hpp>
#include <zero/config/read_options.hpp>
#include <zero/config/settings.hpp>

#include <string>
#include <utility>

namespace zero::config {

/// What \p text asks for: DeepSpeed's configuration, as JSON with comments and commas before closing brackets. \p name
/// is what errors call it. Keys of DeepSpeed mean what they mean there; keys.hpp lists them. \throws ConfigError.
[[nodiscard]] inline Settings parse(std::string text, ReadOptions const& options = {}, std::string name = {}) {
  return detail::Reader(detail::Document(std::move(name), std::move(text)), options).read();
}

/// The same of the file \p path. Each rank may read it: whether they have read the same is compared when the engine is
/// constructed. \throws ConfigError.
[[nodiscard]] inline Settings read(std::string const& path, ReadOptions const& options = {}) {
  return parse(detail::Document::text_of(path), options, path);
}

}  // namespace zero::config
