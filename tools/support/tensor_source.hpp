// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/tensor_files.hpp>
#include <zero/error.hpp>
#include <zero/kernels/float_types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace command_line {

/// The tensors of a safetensors file, or of all files of an index, for what an import does not do: to look at names and
/// shapes before there is a model, and to read a part of a tensor.
class TensorSource {
 public:
  /// \throws zero::CheckpointError, which names the file.
  explicit TensorSource(std::string const& path) : files_(zero::posix_file_system(), path) {}

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (auto const& tensor : files_.tensors()) names.push_back(tensor.entry.name);
    return names;
  }

  /// The dimensions of tensor \p name; nothing where there is none.
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> shape(std::string const& name) const {
    auto const* const tensor = files_.find(name);
    return tensor == nullptr ? std::nullopt : std::optional(tensor->entry.shape);
  }

  /// The first \p count elements of tensor \p name, which must be there. \throws zero::CheckpointError.
  [[nodiscard]] std::vector<float> read(std::string const& name, std::size_t count) {
    auto const& tensor = *files_.find(name);
    if (tensor.entry.type == "F32") return read_as<float>(tensor, count);
    if (tensor.entry.type == "F16") return read_as<zero::float16>(tensor, count);
    if (tensor.entry.type == "BF16") return read_as<zero::bfloat16>(tensor, count);
    throw zero::CheckpointError(
        zero::CheckpointFailure::mismatch,
        "tensor '" + name + "' has the type " + tensor.entry.type + ": parameters are read from F32, F16 and BF16");
  }

  /// Whether two tensors that are there have the same bytes.
  [[nodiscard]] bool are_equal(std::string const& a, std::string const& b) {
    auto const &first = *files_.find(a), &second = *files_.find(b);
    if (first.entry.type != second.entry.type || first.entry.shape != second.entry.shape) return false;
    std::vector<std::byte> mine(std::size_t{1} << 20U), other(mine.size());
    for (std::uint64_t at = 0; at < first.entry.bytes(); at += mine.size()) {
      auto const n = static_cast<std::size_t>(std::min<std::uint64_t>(mine.size(), first.entry.bytes() - at));
      files_.read(first, at, std::span(mine).first(n));
      files_.read(second, at, std::span(other).first(n));
      if (!std::equal(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(n), other.begin())) return false;
    }
    return true;
  }

 private:
  template <class T>
  std::vector<float> read_as(zero::detail::FileTensor const& tensor, std::size_t count) {
    std::vector<T> values(count);
    files_.read(tensor, 0, std::as_writable_bytes(std::span(values)));
    std::vector<float> wide(count);
    std::transform(values.begin(), values.end(), wide.begin(), [](T value) { return zero::widen(value); });
    return wide;
  }

  zero::detail::TensorFiles files_;
};

}  // namespace command_line
