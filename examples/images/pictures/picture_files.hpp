// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/decode.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace images {

/// A file with the ending of a picture, in the folder of its class.
struct PictureFile {
  std::string name{};        ///< from the root on, CLASS/.../NAME, as bytes
  std::size_t of_class = 0;  ///< its number
  std::uint64_t bytes = 0;
  std::string problem{};     ///< why it cannot be a picture; empty where nothing is known against it
  bool is_misnamed = false;  ///< its content is of the other format than its ending says
};

/// The folders of classes in a folder, and their files.
struct PictureFiles {
  std::string root{};
  std::vector<std::string> classes{};   ///< names of folders, sorted by bytes
  std::vector<PictureFile> files{};     ///< sorted by class, then by name
  std::uint64_t hidden = 0, other = 0;  ///< what was left out, see FolderReport

  [[nodiscard]] std::string path_of(PictureFile const& file) const { return root + "/" + file.name; }
};

/// Lists \p root. \throws DataError for one that cannot be read, a link to a folder around it, less than two classes,
/// and a class without files of pictures.
[[nodiscard]] PictureFiles list_pictures(std::string const& root);

/// Reads a file. \throws DecodeError, without its name, where it cannot, or has more than 1 GiB.
[[nodiscard]] std::vector<std::uint8_t> read_file(std::string const& path);

/// What to look at of a file.
enum class Thoroughness : std::uint8_t { header, all };

/// Looks at all files, with \p threads, and notes their size, problems and misnaming.
void look_at(PictureFiles& files, Thoroughness thoroughness, std::uint64_t most_pixels, std::size_t threads);

}  // namespace images
