// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/convert.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/detail/shard_map.hpp>
#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>
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

/// The elements of whole parameters, out of the files of a checkpoint that many ranks have written. Keeps one verified
/// chunk of each file that it reads from, so that walking through all parameters reads most chunks once.
class ParameterReader {
 public:
  /// \p path is the checkpoint's own folder; both are borrowed.
  ParameterReader(FileSystem& system, std::string const& path, Manifest const& manifest) : manifest_(manifest) {
    std::vector<detail::WantedRange> wanted;
    for (std::uint32_t p = 0; p < manifest.parameters.size(); ++p) {
      wanted.push_back({std::string(detail::parameters_kind), p, 0, manifest.parameters[p].count()});
    }
    auto const parts = detail::map_shards(manifest, wanted);
    parts_.resize(wanted.size());
    for (std::size_t f = 0; f < parts.size(); ++f) {
      for (auto const& part : parts[f]) parts_[part.target].push_back({f, part});
      if (!parts[f].empty()) files_.emplace(f, Source(system, path, manifest, manifest.files[f]));
    }
    for (auto& list : parts_) {
      std::sort(list.begin(), list.end(), [](auto const& a, auto const& b) { return a.second.first < b.second.first; });
    }
  }

  /// Hands all elements of parameter \p p to `f(bytes)`, in order, as saved. \throws CheckpointError.
  template <class Function>
  void read(std::uint32_t p, Function&& f) {
    for (auto const& [file, part] : parts_[p]) {
      auto& source = files_.at(file);
      for (std::uint64_t at = part.at, end = part.at + part.bytes(); at < end;) {
        std::uint64_t const k = at / manifest_.chunk;
        auto const chunk = source.chunk(k, manifest_.chunk);
        auto const from = static_cast<std::size_t>(at - k * manifest_.chunk);
        auto const bytes =
            chunk.subspan(from, static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size() - from, end - at)));
        f(bytes);
        at += bytes.size();
      }
    }
  }

 private:
  class Source {
   public:
    Source(FileSystem& system, std::string const& path, Manifest const& manifest, ManifestFile const& file)
        : reader_(system, path, manifest, file) {}
    std::span<std::byte const> chunk(std::uint64_t k, std::uint64_t size) {
      if (current_ != k) {
        buffer_.resize(static_cast<std::size_t>(size));
        current_.reset();
        bytes_ = reader_.read(k, buffer_);
        current_ = k;
      }
      return bytes_;
    }

   private:
    detail::ShardReader reader_;
    std::vector<std::byte> buffer_;
    std::span<std::byte const> bytes_;
    std::optional<std::uint64_t> current_;
  };

  Manifest const& manifest_;
  std::vector<std::vector<std::pair<std::size_t, detail::ShardPart>>> parts_;  // by parameter: file and place
  std::map<std::size_t, Source> files_;
};

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

/// Files that are there under hidden names until all of them are complete; all or none are left.
class PendingFiles {
 public:
  explicit PendingFiles(FileSystem& system) : system_(system) {}
  PendingFiles(PendingFiles const&) = delete;
  PendingFiles& operator=(PendingFiles const&) = delete;
  ~PendingFiles() {
    for (std::size_t i = 0; i < names_.size() && !complete_; ++i) {
      (void)system_.remove_file(i < renamed_ ? names_[i] : hidden(names_[i]));
    }
  }
  /// Where to write what is to be called \p name.
  std::string add(std::string const& name) {
    names_.push_back(name);
    return hidden(name);
  }
  /// \throws CheckpointError (exists) where there is a file of that name: nothing is replaced.
  void rename_all() {
    for (; renamed_ < names_.size(); ++renamed_) {
      auto const& name = names_[renamed_];
      check_file("rename to its name", name, retry_interrupted([&] { return system_.rename_new(hidden(name), name); }));
    }
    auto const slash = names_.front().rfind('/');
    auto const folder = slash == std::string::npos ? std::string(".") : names_.front().substr(0, slash + 1);
    check_file("sync the folder", folder, retry_interrupted([&] { return system_.sync_folder(folder); }));
    complete_ = true;
  }
  [[nodiscard]] std::vector<std::string> const& names() const noexcept { return names_; }

 private:
  [[nodiscard]] std::string hidden(std::string const& name) const {
    auto const slash = name.rfind('/') + 1;  // 0 where there is none
    return name.substr(0, slash) + std::string(temporary_prefix) + nonce_ + "." + name.substr(slash);
  }

  FileSystem& system_;
  std::string nonce_ = CheckpointFolder::make_nonce();
  std::vector<std::string> names_;
  std::size_t renamed_ = 0;
  bool complete_ = false;
};

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
