// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/bootstrap/detail/frame.hpp>
#include <zero/bootstrap/detail/handshake.hpp>
#include <zero/bootstrap/detail/rendezvous_file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bootstrap_frame_test {

using namespace zero::detail;

namespace {

using Bytes = std::vector<std::byte>;

Bytes payload(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

// Puts bytes into a reader in pieces of up to n; the number that it took.
std::size_t feed(FrameReader& reader, std::span<std::byte const> bytes, std::size_t n) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    auto const space = reader.space();
    if (space.empty()) break;
    std::size_t const some = std::min({n, space.size(), bytes.size() - at});
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), some, space.begin());
    reader.filled(some);
    at += some;
  }
  return at;
}

}  // namespace

TEST_CASE("frame: what was written is read, in whatever pieces it comes") {
  for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{1000},
                                 FrameReader::growth, FrameReader::growth + 3}) {
    auto const bytes = encoded(FrameKind::part, 0x0102030405060708U, payload(size));
    for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, std::size_t{16}, bytes.size()}) {
      if (piece < 16 && size > 2000) continue;
      FrameReader reader(size);
      CHECK(feed(reader, bytes, piece) == bytes.size());
      REQUIRE(reader.complete());
      auto const frame = reader.take();
      CHECK(frame.kind == FrameKind::part);
      CHECK(frame.sequence == 0x0102030405060708U);
      CHECK(frame.bytes == payload(size));
      CHECK(reader.empty());
    }
  }
}

TEST_CASE("frame: two in a row are two") {
  auto bytes = encoded(FrameKind::part, 1, payload(5));
  auto const second = encoded(FrameKind::whole, 2, payload(9));
  bytes.insert(bytes.end(), second.begin(), second.end());
  FrameReader reader(100);
  std::size_t const first = feed(reader, bytes, 100);
  CHECK(first == 21);
  CHECK(reader.take().sequence == 1);
  CHECK(feed(reader, std::span(bytes).subspan(first), 100) == 25);
  CHECK(reader.take().bytes == payload(9));
}

TEST_CASE("frame: every truncation is incomplete") {
  auto const bytes = encoded(FrameKind::part, 1, payload(40));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    FrameReader reader(100);
    (void)feed(reader, std::span(bytes).first(n), 100);
    CHECK_FALSE(reader.complete());
    CHECK_FALSE(reader.malformed());
  }
}

TEST_CASE("frame: a length beyond the cap and an unknown kind are malformed before anything is allocated") {
  FrameReader small(39);
  (void)feed(small, encoded(FrameKind::part, 1, payload(40)), 100);
  CHECK(small.malformed());
  CHECK_FALSE(small.complete());
  CHECK(small.space().empty());
  for (std::uint32_t const kind : {0U, 9U, 255U, 0x01000001U}) {
    auto bytes = encoded(FrameKind::part, 1, {});
    for (std::size_t i = 0; i < 4; ++i) bytes[12 + i] = static_cast<std::byte>(kind >> (8 * i));
    FrameReader reader(100);
    (void)feed(reader, bytes, 100);
    CHECK(reader.malformed());
  }
}

TEST_CASE("frame: memory grows with what has arrived, not with what was announced") {
  auto const header = encoded(FrameKind::part, 1, payload(0));
  Bytes announced(header.begin(), header.end());
  for (std::size_t i = 0; i < 4; ++i) announced[i] = std::byte{0xff};
  FrameReader reader(std::size_t{1} << 32);
  (void)feed(reader, announced, 16);
  CHECK(reader.space().size() == FrameReader::growth);
}

TEST_CASE("handshake: who belongs here") {
  zero::LaunchEnvironment const root{
      .rank = 0, .world = 4, .host = "h", .port = 1, .run_id = "run", .restart = 3, .token = "secret"};
  auto const ours = HandshakeRequest::of(root);
  auto const validate = [&](auto change) {
    auto launch = root;
    launch.rank = 2;
    change(launch);
    return HandshakeRequest::validate(HandshakeRequest::of(launch), ours);
  };
  auto const good = validate([](auto&) {});
  CHECK(good.welcome);
  CHECK(good.rank == 2);
  auto const refused = [&](auto change, Refusal why, char const* says) {
    auto const result = validate(change);
    CHECK_FALSE(result.welcome);
    CHECK(result.refusal == why);
    CHECK(result.why.find(says) != std::string::npos);
    CHECK(result.why.find("secret") == std::string::npos);
  };
  refused([](auto& l) { l.token = "secreT"; }, Refusal::rejected, "token is wrong");
  refused([](auto& l) { l.token = ""; }, Refusal::rejected, "token is wrong");
  refused([](auto& l) { l.token += "x"; }, Refusal::rejected, "token is wrong");
  refused([](auto& l) { l.restart = 2; }, Refusal::other_run, "start 2 of this run, rank 0 to start 3");
  refused([](auto& l) { l.run_id = "other"; }, Refusal::other_run, "another run");
  refused([](auto& l) { l.world = 5; }, Refusal::conflict, "a world of 5, rank 0 in one of 4");
  refused([](auto& l) { l.rank = 4; }, Refusal::conflict, "rank 4 of 4");
  refused([](auto& l) { l.rank = 0; }, Refusal::conflict, "rank 0 of 4");
  for (std::size_t n : {std::size_t{0}, std::size_t{19}, HandshakeRequest::bytes - 1}) {
    CHECK_FALSE(HandshakeRequest::validate(std::span(ours).first(n), ours).welcome);
  }
  auto launch = root;
  launch.token = std::string(256, 'x');
  CHECK_THROWS_AS((void)HandshakeRequest::of(launch), zero::ConfigurationError);
}

TEST_CASE("rendezvous file: one line, strictly") {
  auto const place = RendezvousFile::parsed("zero-rendezvous-1 10.0.0.1 4000 abc\n");
  REQUIRE(place);
  CHECK(place->host == "10.0.0.1");
  CHECK(place->port == 4000);
  CHECK(place->token == "abc");
  for (auto const* text :
       {"", "\n", "zero-rendezvous-1 10.0.0.1 4000 abc", "zero-rendezvous-2 10.0.0.1 4000 abc\n",
        "zero-rendezvous-1 10.0.0.1 4000\n", "zero-rendezvous-1 10.0.0.1 0 abc\n",
        "zero-rendezvous-1 10.0.0.1 70000 abc\n", "zero-rendezvous-1 10.0.0.1 1x abc\n",
        "zero-rendezvous-1  4000 abc\n", "zero-rendezvous-1 h 4000 abc more\n", "zero-rendezvous-1 h 4000 \n"}) {
    CAPTURE(text);
    CHECK_FALSE(RendezvousFile::parsed(text));
  }
}

}  // namespace bootstrap_frame_test
