// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/rgb_picture.hpp"

#include <string>

namespace images {

/// Writes \p picture, which is not empty, to the file \p path as PNG of 8 bits, over one that is there. The same
/// picture gives the same bytes with the same libpng and zlib. \throws std::runtime_error, in one line; what was
/// written of the file is gone then.
void write_png(std::string const& path, RgbPicture const& picture);

}  // namespace images
