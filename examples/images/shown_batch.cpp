// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "shown_batch.hpp"

#if defined(IMAGES_READ_FILES)
#include "pictures/picture_grid.hpp"
#include "pictures/write_png.hpp"
#endif

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace images {

#if defined(IMAGES_READ_FILES)

void show_batch(Options const& options, RunData const& data) {
  auto const& path = *options.show_batch;
  bool const may_replace = options.overwrite || options.resume;
  if (!may_replace && std::filesystem::exists(path)) {
    throw UsageError("--show-batch " + path + ": is there already: use --overwrite, or another name");
  }
  auto const values = data.size().values();
  std::vector<float> batch(options.batch * values);
  for (std::size_t k = 0; k < options.batch; ++k) {
    (void)data.training_picture(options.seed, k, options.augment, std::span(batch).subspan(k * values, values));
  }
  auto const columns = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(options.batch))));
  write_png(path, picture_grid(batch, data.size(), data.norm(), columns));
}

#else

void show_batch(Options const& /*options*/, RunData const& /*data*/) {
  throw UsageError("--show-batch: this program was built without libpng, which draws: install it, and build it again");
}

#endif

}  // namespace images
