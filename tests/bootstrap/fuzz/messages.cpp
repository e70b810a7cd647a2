// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as what ranks read before they trust each other; the first one says as what: a node list, a list of tasks,
// a rendezvous file, a greeting, or frames.

#include <zero/bootstrap/detail/frame.hpp>
#include <zero/bootstrap/detail/handshake.hpp>
#include <zero/bootstrap/detail/node_list.hpp>
#include <zero/bootstrap/detail/rendezvous_file.hpp>
#include <zero/bootstrap/host_failure.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace {

using namespace zero::detail;

void expect(bool condition) {
  if (!condition) std::abort();
}

void frames(std::span<std::byte const> bytes) {
  constexpr std::size_t most = 4096;
  FrameReader reader(most);
  while (!bytes.empty() && !reader.malformed()) {
    auto const space = reader.space();
    expect(!space.empty());
    std::size_t const n = std::min(space.size(), bytes.size());
    std::copy_n(bytes.begin(), n, space.begin());
    reader.filled(n);
    bytes = bytes.subspan(n);
    if (!reader.complete()) continue;
    auto const frame = reader.take();
    expect(frame.bytes.size() <= most);
    if (auto const failure = decoded_failure(frame, 8)) expect(failure->rank >= 0 && failure->rank < 8);
  }
}

void greeting(std::span<std::byte const> bytes) {
  auto const ours = HandshakeRequest::of({.rank = 0, .world = 4, .run_id = "run", .token = "secret"});
  auto const result = HandshakeRequest::validate(bytes, ours);
  if (result.welcome) expect(result.rank > 0 && result.rank < 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const text(reinterpret_cast<char const*>(data) + 1, size - 1);
  auto const bytes = std::as_bytes(std::span(data + 1, size - 1));
  try {
    switch (data[0]) {
      case 'n':
        for (auto const& name : SlurmList::nodes(text)) expect(!name.empty());
        break;
      case 't':
        expect(SlurmList::tasks(text).size() <= SlurmList::max_nodes);
        break;
      case 'f':
        if (auto const place = RendezvousFile::parsed(text)) expect(place->port != 0 && !place->host.empty());
        break;
      case 'h':
        greeting(bytes);
        break;
      default:
        frames(bytes);
    }
  } catch (zero::ConfigurationError const&) {
  }
  return 0;
}
