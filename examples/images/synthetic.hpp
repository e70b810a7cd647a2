// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "picture_source.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace images {

/// Pictures of noise, which cost next to nothing to read: what a run reaches with them is what it would reach if
/// reading took no time.
struct SyntheticPictures {
  std::size_t count = 1280;
  std::size_t classes = 10;  ///< in turn
  std::size_t size = 224;    ///< height and width
};

/// The number of pictures that \p data asks for as "synthetic" or "synthetic:N"; nothing where it is a folder's name.
/// \throws DataError where it is neither.
[[nodiscard]] std::optional<std::size_t> synthetic_count(std::string const& data);

[[nodiscard]] std::shared_ptr<PictureSource const> make_synthetic(SyntheticPictures const& asked);

}  // namespace images
