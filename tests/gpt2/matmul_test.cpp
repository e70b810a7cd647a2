// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/matmul.hpp>
#include <gpt2/random.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <vector>

namespace gpt2_matmul_test {

namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t key) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(gpt2::CounterRandom(key).uniform(i) - 0.5);
  return values;
}

std::vector<float> product(gpt2::ProductShape const& shape, int threads, bool adds) {
  auto const a = random_values(shape.rows * shape.depth, 1), b = random_values(shape.columns * shape.depth, 2);
  std::vector<float> c(shape.rows * shape.columns, 1.0F);
  zero::ThreadPool pool(threads);
  gpt2::Multiplier multiply(pool);
  multiply(shape, 2.0F, {a.data(), shape.depth}, {b.data(), shape.depth, true}, {c.data(), shape.columns, adds},
           [](gpt2::Tile const&) {});
  return c;
}

// By columns, by rows, smaller than a task, and deeper than the packed buffer.
gpt2::ProductShape const shapes[] = {{100, 1000, 90}, {1000, 100, 90}, {3, 5, 7}, {40, 130, 9000}, {300, 300, 300}};

}  // namespace

TEST_CASE("gpt2 matmul: agrees with a product in double") {
  for (auto const& shape : shapes) {
    auto const a = random_values(shape.rows * shape.depth, 1), b = random_values(shape.columns * shape.depth, 2);
    for (bool const adds : {false, true}) {
      auto const c = product(shape, 2, adds);
      double worst = 0.0;
      for (std::size_t i = 0; i < shape.rows; ++i) {
        for (std::size_t j = 0; j < shape.columns; ++j) {
          double sum = adds ? 1.0 : 0.0;
          for (std::size_t k = 0; k < shape.depth; ++k) {
            sum += 2.0 * static_cast<double>(a[i * shape.depth + k]) * static_cast<double>(b[j * shape.depth + k]);
          }
          worst = std::max(worst, std::abs(sum - static_cast<double>(c[i * shape.columns + j])));
        }
      }
      CHECK(worst < 1e-6 * std::sqrt(static_cast<double>(shape.depth)) + 1e-6);
    }
  }
}

TEST_CASE("gpt2 matmul: the same bits on any number of threads") {
  for (auto const& shape : shapes) {
    auto const one = product(shape, 1, true);
    for (int const threads : {2, 3, 7}) {
      auto const several = product(shape, threads, true);
      CHECK(std::memcmp(one.data(), several.data(), one.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("gpt2 matmul: the epilogue sees every element once, complete") {
  for (auto const& shape : shapes) {
    std::vector<float> const a(shape.rows * shape.depth, 1.0F), b(shape.columns * shape.depth, 1.0F);
    std::vector<float> c(shape.rows * shape.columns);
    zero::ThreadPool pool(3);
    gpt2::Multiplier multiply(pool);
    multiply(shape, 1.0F, {a.data(), shape.depth}, {b.data(), shape.columns}, {c.data(), shape.columns},
             [&](gpt2::Tile const& tile) {
               for (std::size_t i = tile.row; i < tile.row + tile.rows; ++i) {
                 for (std::size_t j = tile.column; j < tile.column + tile.columns; ++j)
                   c[i * shape.columns + j] += 0.5F;
               }
             });
    bool right = true;
    for (float const x : c) right = right && x == static_cast<float>(shape.depth) + 0.5F;
    CHECK(right);
  }
}

TEST_CASE("gpt2 matmul: tiles are a matter of shape and cover it without overlap") {
  for (gpt2::ProductShape const& shape :
       {gpt2::ProductShape{768, 3072, 256}, {256, 50257, 768}, {50257, 768, 256}, {1, 1, 1}}) {
    gpt2::Tiling const tiling(shape);
    std::size_t covered = 0;
    for (std::size_t i = 0; i < tiling.size(); ++i) covered += tiling[i].rows * tiling[i].columns;
    CHECK(covered == shape.rows * shape.columns);
    CHECK((tiling.size() > 8) == (shape.rows > 1));
  }
}

TEST_CASE("gpt2 matmul: the packed buffer is bounded and is not allocated again for smaller products") {
  zero::ThreadPool pool(1);
  gpt2::Multiplier multiply(pool);
  std::vector<float> const a(40 * 9000), b(130 * 9000);
  std::vector<float> c(40 * 130);
  multiply({40, 130, 9000}, {a.data(), 9000}, {b.data(), 130}, {c.data(), 130});
  auto const bytes = multiply.bytes();
  CHECK(bytes < 40 * 9000 * sizeof(float) * 2);
  multiply({40, 40, 40}, {a.data(), 40}, {b.data(), 40}, {c.data(), 40});
  CHECK(multiply.bytes() == bytes);
}

}  // namespace gpt2_matmul_test
