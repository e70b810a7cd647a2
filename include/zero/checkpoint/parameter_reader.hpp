// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/names.hpp>
#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/detail/shard_map.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/manifest.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
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

}  // namespace zero
