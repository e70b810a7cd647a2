// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zero {

/// Reads every byte of a checkpoint: sizes, checksums, and that each file says of itself what the manifest says. Takes
/// one chunk of memory and one header. \throws CheckpointError that names the first file that is not as it should be.
inline void verify_checkpoint(FileSystem& system, std::string const& path, Manifest const& manifest) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(manifest.chunk));
  for (auto const& file : manifest.files) {
    detail::ShardReader const reader(system, path, manifest, file);
    std::string head;
    for (std::uint64_t k = 0; k < file.crc32c.size(); ++k) {
      auto const bytes = reader.read(k, buffer);
      auto const wanted = static_cast<std::size_t>(file.data_begin) - head.size();
      head.append(reinterpret_cast<char const*>(bytes.data()), (std::min)(bytes.size(), wanted));
    }
    auto expected = detail::header_of(manifest, file);
    if (head == detail::to_bytes(expected)) continue;
    throw CheckpointError(CheckpointFailure::damaged,
                          detail::concat({"zero: the header of ", detail::quote(path + "/" + file.name),
                                          " is not what the manifest says: it is of another save"}));
  }
}

}  // namespace zero
