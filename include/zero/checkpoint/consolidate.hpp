// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/convert.hpp>
#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/pending_files.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/checkpoint/parameter_reader.hpp>
#include <zero/precision.hpp>
#include <zero/utility/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// How whole parameters are written.
struct ConsolidateOptions {
  std::optional<ElementType> type{};  ///< of every parameter, not of tensors beside them; default: as saved,
                                      ///< fp32 but for frozen ones
  std::uint64_t max_shard_bytes = 0;  ///< of data per file; 0: one file; otherwise an index is written beside them
};

/// What was written.
struct ConsolidateReport {
  std::vector<std::string> files{};  ///< that were written, the index last
  std::size_t parameters = 0;        ///< number of them, and of tensors beside them
  std::uint64_t bytes = 0;           ///< of all files but the index
};

namespace detail {

/// One file of whole parameters: its header and, in the order of its tensors, their places in the manifest.
struct ConsolidatedFile {
  detail::SafetensorsHeader header;
  std::vector<std::uint32_t> parameters;
};

/// Cuts the parameters, by name, into files of at most \p largest bytes of data; one that is larger has its own.
inline std::vector<ConsolidatedFile> plan_consolidation(Manifest const& manifest, ConsolidateOptions const& options) {
  std::map<std::string, std::uint32_t> by_name;
  for (std::uint32_t p = 0; p < manifest.parameters.size(); ++p) by_name[manifest.parameters[p].name] = p;
  std::vector<ConsolidatedFile> files(1);
  std::uint64_t bytes = 0;
  for (auto const& [name, p] : by_name) {
    auto const& parameter = manifest.parameters[p];
    auto const type = parameter.is_tensor ? parameter.type : options.type.value_or(parameter.type);
    std::uint64_t const more = parameter.count() * element_size(type);
    if (options.max_shard_bytes > 0 && bytes > 0 && bytes + more > options.max_shard_bytes) {
      files.emplace_back();
      bytes = 0;
    }
    bytes += more;
    files.back().header.tensors.push_back(
        {.name = name, .type = std::string(safetensors_type(type)), .shape = parameter.shape});
  }
  for (auto& file : files) {
    file.header.metadata = {{"format", "pt"}};  // what `transformers` asks for
    detail::lay_out(file.header);
    for (auto const& tensor : file.header.tensors) file.parameters.push_back(by_name.at(tensor.name));
  }
  return files;
}

/// `model.safetensors` as file \p i of \p n: `model-00001-of-00002.safetensors`.
inline std::string numbered(std::string const& path, std::size_t i, std::size_t n) {
  if (n == 1) return path;
  std::string_view const ending = ".safetensors";
  auto const stem = path.ends_with(ending) ? path.substr(0, path.size() - ending.size()) : path;
  auto const padded = [](std::size_t number) {
    auto const digits = std::to_string(number);
    return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
  };
  return stem + "-" + padded(i + 1) + "-of-" + padded(n) + std::string(ending);
}

inline void write_consolidated(FileSystem& system, std::string const& path, Manifest const& manifest,
                               ParameterReader& reader, ConsolidatedFile& file, std::optional<ElementType> type) {
  auto const head = detail::to_bytes(file.header);
  std::vector<std::byte> piece(detail::ShardWriter::largest_piece);
  detail::ShardWriter writer(detail::File::create(system, path), head.size() + file.header.data_bytes(), piece,
                             piece.size());
  auto const put = [&](std::span<std::byte const> bytes) {
    writer.write({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
  };
  writer.write(head);
  for (auto const p : file.parameters) {
    auto const saved = manifest.parameters[p].type;
    reader.read(p, [&](std::span<std::byte const> bytes) {
      if (!type || *type == saved || manifest.parameters[p].is_tensor) return put(bytes);
      expect_in_range(manifest.parameters[p].name, bytes, saved, *type);
      convert_elements(bytes, saved, *type, put);
    });
  }
  (void)writer.end();
  writer.finish();
}

/// The index that Hugging Face libraries look for beside several files.
inline std::string index_of(std::vector<ConsolidatedFile> const& files, std::vector<std::string> const& names) {
  Json::Object map;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    total += files[i].header.data_bytes();
    for (auto const& tensor : files[i].header.tensors) {
      map.emplace_back(tensor.name, names[i].substr(names[i].rfind('/') + 1));
    }
  }
  return to_text(
             Json(Json::Object{{"metadata", Json::Object{{"total_size", total}}}, {"weight_map", std::move(map)}})) +
         "\n";
}

}  // namespace detail

/// Writes the whole parameters of a checkpoint, whatever it was saved from, into safetensors files that other programs
/// read: \p out, or several numbered ones and an index. Streams: takes one chunk per rank of the checkpoint, and 1 MiB.
/// \throws CheckpointError: damaged, exists rather than replace a file, and bad_request where an element is finite and
/// too large for the type that is asked for; no file is left behind then.
inline ConsolidateReport consolidate(CheckpointFolder const& folder, Manifest const& manifest, std::string const& out,
                                     ConsolidateOptions const& options = {}) {
  auto& system = folder.system();
  auto files = detail::plan_consolidation(manifest, options);
  ParameterReader reader(system, folder.path(manifest.tag), manifest);
  detail::PendingFiles pending(system);
  ConsolidateReport report{.parameters = manifest.parameters.size()};
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto const hidden = pending.add(detail::numbered(out, i, files.size()));
    detail::write_consolidated(system, hidden, manifest, reader, files[i], options.type);
    report.bytes += files[i].header.data_begin + files[i].header.data_bytes();
  }
  if (files.size() > 1) {
    auto const names = pending.names();
    detail::write_new(system, pending.add(out + ".index.json"), detail::index_of(files, names));
  }
  pending.rename_all();
  report.files = pending.names();
  return report;
}

}  // namespace zero
