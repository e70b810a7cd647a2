// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/convert.hpp>
#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/error.hpp>
#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero {

/// A tensor of a file for other programs.
struct ExportedTensor {
  std::string name;                      ///< UTF-8
  std::vector<std::uint64_t> shape{};    ///< sizes of the dimensions, row-major
  ElementType type = ElementType::fp32;  ///< of its elements in the file: fp32, fp16 or bf16
};

namespace detail {

/// The name under which what is going to be \p path is written.
[[nodiscard]] inline std::string hidden_name(std::string const& path) {
  auto const name = path.rfind('/') + 1;  // 0 where there is no folder
  return path.substr(0, name) + "." + path.substr(name) + ".tmp";
}

/// Gives what is complete its name; what the name belongs to goes only where it is to be replaced.
inline void publish_file(FileSystem& system, std::string const& hidden, std::string const& path, bool replace) {
  long const renamed =
      retry_interrupted([&] { return replace ? system.rename_over(hidden, path) : system.rename_new(hidden, path); });
  check_file("rename to its name", path, renamed);
}

}  // namespace detail

/// Writes the safetensors file \p path; it has its name once it is complete and durable, and \p replace says whether it
/// may take the place of another. \p read gives all elements of a tensor in fp32, by its name, which are rounded to
/// nearest even where the file's type is narrower; tensors are asked for in the order of the file, the same on every
/// rank. Where \p writes is false nothing is written and what \p read gives is dropped: reading a parameter is
/// collective, and one rank writes. So all tensors are asked for, also where writing fails. \throws CheckpointError, on
/// the rank that writes; also (exists) rather than replace a file, and (bad_request) where an element is finite and too
/// large for its type. No file is left then.
inline void export_safetensors(FileSystem& system, std::string const& path, std::vector<ExportedTensor> const& tensors,
                               bool writes, std::function<std::vector<float>(std::string const& name)> const& read,
                               bool replace = false) {
  detail::SafetensorsHeader header{.metadata = {{"format", "pt"}}};  // what `transformers` asks for
  std::map<std::string_view, ElementType> types;                     // by name, as the file has another order
  for (auto const& tensor : tensors) {
    types[tensor.name] = tensor.type;
    header.tensors.push_back(
        {.name = tensor.name, .type = std::string(detail::safetensors_type(tensor.type)), .shape = tensor.shape});
  }
  detail::lay_out(header);
  auto const head = detail::to_bytes(header);
  auto const hidden = detail::hidden_name(path);
  std::optional<detail::File> file;
  std::exception_ptr failure;
  auto const write = [&](auto&& f) {
    if (!writes || failure) return;
    try {
      f();
    } catch (CheckpointError const&) {
      failure = std::current_exception();
    }
  };
  write([&] {
    (void)system.remove_file(hidden);  // what a killed process has left
    file = detail::File::create(system, hidden);
    file->write(head);
  });
  for (auto const& tensor : header.tensors) {
    auto const type = types.at(tensor.name);
    auto const values = read(tensor.name);
    auto const bytes = std::as_bytes(std::span(values));
    write([&] {
      if (type == ElementType::fp32) return file->write(bytes);
      detail::expect_in_range(tensor.name, bytes, ElementType::fp32, type);
      detail::convert_elements(bytes, ElementType::fp32, type,
                               [&](std::span<std::byte const> part) { file->write(part); });
    });
  }
  write([&] {
    file->sync();
    file->close();
    detail::publish_file(system, hidden, path, replace);
  });
  if (!failure) return;
  file.reset();
  (void)system.remove_file(hidden);
  std::rethrow_exception(failure);
}

/// Writes a file and makes its content durable; it has its name once it is complete, and its folder is the caller's to
/// sync. \throws CheckpointError, also (exists) rather than replace a file, unless \p replace.
inline void write_new_file(FileSystem& system, std::string const& path, std::string_view text, bool replace = false) {
  auto const hidden = detail::hidden_name(path);
  (void)system.remove_file(hidden);
  try {
    detail::write_new(system, hidden, text);
    detail::publish_file(system, hidden, path, replace);
  } catch (CheckpointError const&) {
    (void)system.remove_file(hidden);
    throw;
  }
}

}  // namespace zero
