// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "shown_batch.hpp"

#include "training/output_folders.hpp"

#if defined(IMAGES_READ_FILES)
#include "pictures/picture_grid.hpp"
#include "pictures/write_png.hpp"
#endif

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace images {

#if defined(IMAGES_READ_FILES)

void expect_place_of_batch(Options const& options) {
  training::expect_new_file("--show-batch", *options.show_batch, options.overwrite || options.resume);
}

void show_batch(Options const& options, RunData const& data, BatchPlace const& place) {
  auto const values = data.size().values();
  std::vector<float> batch(options.batch * values);
  for (std::size_t k = 0; k < options.batch; ++k) {
    (void)data.training_picture(place.seed, place.first + k, options.augment,
                                std::span(batch).subspan(k * values, values));
  }
  auto const columns = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(options.batch))));
  write_png(*options.show_batch, picture_grid(batch, data.size(), data.norm(), columns));
}

#else

void expect_place_of_batch(Options const& /*options*/) {
  throw UsageError("--show-batch: this program was built without libpng, which draws: install it, and build it again");
}

void show_batch(Options const& /*options*/, RunData const& /*data*/, BatchPlace const& /*place*/) {}  // never called

#endif

}  // namespace images
