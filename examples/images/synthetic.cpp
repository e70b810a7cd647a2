// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "synthetic.hpp"

#include "support/data_error.hpp"

#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>

namespace images {
namespace {

constexpr std::string_view data_name = "synthetic";
constexpr std::size_t different = 8;  // as many are drawn; the others are these again

/// Box and Muller's, of two uniform numbers.
float normal(training::CounterRandom const& draws, std::uint64_t n) {
  double const radius = std::sqrt(-2.0 * std::log1p(-draws.uniform(2 * n)));
  return static_cast<float>(radius * std::cos(2.0 * std::numbers::pi * draws.uniform(2 * n + 1)));
}

class Synthetic final : public PictureSource {
 public:
  explicit Synthetic(SyntheticPictures const& asked) : size_{3, asked.size, asked.size}, count_(asked.count) {
    for (std::size_t c = 0; c < asked.classes; ++c) classes_.push_back(std::to_string(c));
    values_.resize(different * size_.values());
    training::CounterRandom const draws(0);
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = normal(draws, i);
  }

  std::size_t size() const override { return count_; }
  PictureSize picture_size() const override { return size_; }
  std::vector<std::string> const& classes() const override { return classes_; }
  ColourNorm const& norm() const override { return norm_; }
  std::uint64_t hash() const override {
    zero::Fingerprint fingerprint;
    fingerprint.add_text(data_name);
    for (auto const number : {count_, size_.height, classes_.size()}) fingerprint.add(number);
    return fingerprint.value();
  }
  std::int64_t read(std::size_t i, training::CounterRandom const* /*draws*/, std::span<float> into) const override {
    auto const from = std::span(values_).subspan(i % different * size_.values(), size_.values());
    std::copy(from.begin(), from.end(), into.begin());
    return static_cast<std::int64_t>(i % classes_.size());
  }

 private:
  PictureSize size_;
  std::size_t count_;
  std::vector<std::string> classes_;
  std::vector<float> values_;
  ColourNorm norm_{{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}};  // for a picture of them, in which noise is grey
};

}  // namespace

std::optional<std::size_t> synthetic_count(std::string const& data) {
  std::string_view text = data;
  if (text.substr(0, data_name.size()) != data_name) return std::nullopt;
  text.remove_prefix(data_name.size());
  if (text.empty()) return SyntheticPictures().count;
  if (text.front() != ':') return std::nullopt;  // another name
  std::size_t count = 0;
  auto const [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > std::size_t{1} << 31U) {
    throw command_line::DataError(data + ": write synthetic:N, with the number of pictures from 1, or ./" + data +
                                  " for a folder of this name");
  }
  return count;
}

std::shared_ptr<PictureSource const> make_synthetic(SyntheticPictures const& asked) {
  return std::make_shared<Synthetic>(asked);
}

}  // namespace images
