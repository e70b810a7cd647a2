// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "training/run_options.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace images {

/// Pictures that --skip-unreadable has left out, of both parts.
struct UnreadablePictures {
  std::uint64_t count = 0;
  std::string first{};  ///< path and reason

  /// One line of text, which `parse` reads: what a checkpoint says of them.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] static UnreadablePictures parse(std::string const& text);
};

/// How many pictures a run has.
struct PictureCounts {
  std::uint64_t training = 0, validation = 0;
  std::optional<UnreadablePictures> unreadable{};  ///< nothing where a checkpoint of an earlier version does not say it
};

/// How the pictures of a run that is resumed differ from those \p before, which its checkpoint says, and what to do
/// about it, as the rest of a sentence. The options are those of the run then and now.
[[nodiscard]] std::string difference_of_pictures(PictureCounts const& before, PictureCounts const& now,
                                                 training::NamedOptions const& options_before,
                                                 training::NamedOptions const& options_now);

}  // namespace images
