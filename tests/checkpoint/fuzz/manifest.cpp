// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any text as a manifest, with a checksum that fits it: refused with the library's error, or one whose files can be
// mapped, and that is written and read as itself.

#include <zero/checkpoint/detail/manifest_reader.hpp>
#include <zero/checkpoint/detail/shard_map.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string text(reinterpret_cast<char const*>(data), size);
  text += zero::detail::manifest_end(text);
  try {
    auto const manifest = zero::detail::parse_manifest(text);
    std::vector<zero::detail::WantedRange> wanted;
    for (std::uint32_t p = 0; p < manifest.parameters.size(); ++p) {
      wanted.push_back({"parameters", p, 0, manifest.parameters[p].count()});
    }
    auto const parts = zero::detail::map_shards(manifest, wanted);
    for (std::size_t f = 0; f < parts.size(); ++f) {
      for (auto const& part : parts[f]) {
        if (part.at + part.bytes() > manifest.files[f].bytes) std::abort();
      }
    }
    auto const written = zero::to_text(manifest);
    if (zero::to_text(zero::detail::parse_manifest(written)) != written) std::abort();
  } catch (zero::CheckpointError const&) {
  }
  return 0;
}
