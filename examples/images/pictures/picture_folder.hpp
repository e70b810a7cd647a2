// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/colour_norm.hpp"
#include "images/picture_source.hpp"
#include "images/pictures/decode.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace images {

/// How a folder of pictures is opened and read.
struct FolderOptions {
  PictureSplit split = PictureSplit::train;  ///< what `open_folder` opens of a folder that has parts
  std::size_t size = 224;                    ///< of a side of what the model sees; 8 to 4096
  ColourNorm norm{};
  std::uint64_t most_pixels = usual_most_pixels;  ///< of a picture
  bool skip_unreadable = false;                   ///< decode all pictures at opening, and leave out those that fail
  std::uint64_t cache_bytes = 0;  ///< for decoded pictures: the first ones that are read stay, until it is full
  std::size_t threads = 2;        ///< that look at the files at opening
};

/// What was found in a folder, for people.
struct FolderReport {
  std::uint64_t pictures = 0;    ///< that are there to be read
  std::uint64_t hidden = 0;      ///< files and folders whose names begin with a dot: left out
  std::uint64_t other = 0;       ///< files without the ending of a picture: left out
  std::uint64_t misnamed = 0;    ///< PNG files with the ending of JPEG, or the other way round: read
  std::uint64_t unreadable = 0;  ///< left out, by `skip_unreadable`
  std::string first_misnamed{}, first_unreadable{};  ///< path; path and reason

  /// What is to be told of it, a line each, without a line's end; none where there is nothing.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// Adds what was found in another folder.
  void add(FolderReport const& found);
};

struct OpenedFolder {
  std::shared_ptr<PictureSource const> pictures;
  FolderReport report{};
};

/// What `open_parts` opens.
struct OpenedParts {
  std::shared_ptr<PictureSource const> train;
  std::shared_ptr<PictureSource const> validation{};  ///< null where there is none
  FolderReport report{};
};

/// Whether \p folder has folders train and val, which are its parts then.
[[nodiscard]] bool has_parts(std::string const& folder);

/// Opens pictures in folders by class, as torchvision's ImageFolder does: FOLDER/CLASS/.../NAME, in JPEG and PNG, with
/// endings .jpg, .jpeg and .png in any case; classes are the sorted names of the folders. Where FOLDER has folders
/// train and val, one of these is opened, by `split`.
///
/// Links are followed; a link back to a folder around it is an error. The headers of all files are read; a file that
/// cannot be used is an error that names it, unless `skip_unreadable`. Which pictures there are, and in which order,
/// depends on names and contents alone.
///
/// Pictures of more than 64 pixels: training takes `random_crop`, resized, and mirrors half of them; evaluation takes
/// `center_crop`. Smaller ones: resized as a whole; training takes a crop of it with a black border of an eighth, and
/// mirrors half. Resizing is `resize`. Values are (value / 255 - mean) / deviation.
///
/// \throws DataError, in one line.
[[nodiscard]] OpenedFolder open_folder(std::string const& folder, FolderOptions const& options);

/// Opens the two parts of \p folder, train and val where it has those. Else a share of its pictures is for validation,
/// \p validation_share of 1, above 0 and below it, chosen by a hash of their names, so that other pictures change
/// nothing; nothing: all are for training. Each file is looked at once. Besides, it is as `open_folder`, without
/// `split`. \throws DataError, in one line.
[[nodiscard]] OpenedParts open_parts(std::string const& folder, FolderOptions const& options,
                                     std::optional<double> validation_share);

}  // namespace images
