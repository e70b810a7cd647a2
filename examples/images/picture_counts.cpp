// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "picture_counts.hpp"

#include "training/progress.hpp"

#include <cstdlib>

namespace images {
namespace {

using training::with_separators;

std::string value_of(training::NamedOptions const& options, char const* name) {
  auto const found = options.find(name);
  return found == options.end() ? std::string() : found->second;
}

std::uint64_t left_out(PictureCounts const& counts) { return counts.unreadable ? counts.unreadable->count : 0; }

/// "54 to train on, 6 to validate on, 1 left out as unreadable (a.jpg: is no picture)", of which the last part is there
/// where \p tells_of_unreadable and it is known.
std::string text_of(PictureCounts const& counts, bool tells_of_unreadable) {
  auto text =
      with_separators(counts.training) + " to train on, " + with_separators(counts.validation) + " to validate on";
  if (!tells_of_unreadable || !counts.unreadable) return text;
  if (left_out(counts) == 0) return text + ", none left out as unreadable";
  return text + ", " + with_separators(left_out(counts)) + " left out as unreadable (" + counts.unreadable->first + ")";
}

}  // namespace

std::string UnreadablePictures::to_text() const { return std::to_string(count) + (count == 0 ? "" : " " + first); }

UnreadablePictures UnreadablePictures::parse(std::string const& text) {
  auto const space = text.find(' ');
  return {.count = std::strtoull(text.c_str(), nullptr, 10),
          .first = space == std::string::npos ? std::string() : text.substr(space + 1)};
}

std::string difference_of_pictures(PictureCounts const& before, PictureCounts const& now,
                                   training::NamedOptions const& options_before,
                                   training::NamedOptions const& options_now) {
  bool const tells_of_unreadable = left_out(before) > 0 || left_out(now) > 0;
  auto const then = text_of(before, tells_of_unreadable), here = text_of(now, tells_of_unreadable);
  auto const counts =
      then == here ? "as many, of other names, sizes or classes: " : then + " then, and " + here + " now: ";
  auto const share = value_of(options_before, "--val-share");
  if (!share.empty() && share != value_of(options_now, "--val-share")) {
    return counts + "give --val-share " + share + ", as then";
  }
  bool const skipped = value_of(options_before, "--skip-unreadable") == "on";
  bool const skips = value_of(options_now, "--skip-unreadable") == "on";
  if (skipped && !skips && (!before.unreadable || before.unreadable->count > 0)) {
    return counts + "give --skip-unreadable, as then, and take what was mended since out of the folder";
  }
  if (left_out(now) > left_out(before)) return counts + "put back what is left out now, as it was";
  if (left_out(now) < left_out(before)) return counts + "take what was mended since out of the folder";
  return counts + "give those";
}

}  // namespace images
