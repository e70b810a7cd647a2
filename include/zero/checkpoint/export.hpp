// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/file_system.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero {

/// A tensor of fp32 elements, row-major, of a file for other programs.
struct ExportedTensor {
  std::string name;                    ///< UTF-8
  std::vector<std::uint64_t> shape{};  ///< sizes of the dimensions, row-major
};

/// Writes the safetensors file \p path; it has its name once it is complete and durable. \p read gives all elements of
/// a tensor, by its name; tensors are asked for in the order of the file, the same on every rank. Where \p writes is
/// false nothing is written and what \p read gives is dropped: reading a parameter is collective, and one rank writes.
/// \throws CheckpointError, also (exists) rather than replace a file.
inline void export_safetensors(FileSystem& system, std::string const& path, std::vector<ExportedTensor> const& tensors,
                               bool writes, std::function<std::vector<float>(std::string const& name)> const& read) {
  detail::SafetensorsHeader header{.metadata = {{"format", "pt"}}};  // what `transformers` asks for
  for (auto const& tensor : tensors)
    header.tensors.push_back({.name = tensor.name, .type = "F32", .shape = tensor.shape});
  detail::lay_out(header);
  auto const name = path.rfind('/') + 1;  // 0 where there is no folder
  std::string const hidden = path.substr(0, name) + "." + path.substr(name) + ".tmp";
  std::optional<detail::File> file;
  if (writes) {
    (void)system.remove_file(hidden);  // what a killed process has left
    file = detail::File::create(system, hidden);
    file->write(detail::to_bytes(header));
  }
  for (auto const& tensor : header.tensors) {
    auto const values = read(tensor.name);
    if (writes) file->write(std::as_bytes(std::span(values)));
  }
  if (!writes) return;
  file->sync();
  file->close();
  detail::check_file("rename to its name", path, system.rename_new(hidden, path));
}

/// Writes a new file and makes its content durable; its folder is the caller's to sync. \throws CheckpointError, also
/// (exists) rather than replace a file.
inline void write_new_file(FileSystem& system, std::string const& path, std::string_view text) {
  detail::write_new(system, path, text);
}

}  // namespace zero
