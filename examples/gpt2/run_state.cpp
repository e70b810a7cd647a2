// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run_state.hpp"

#include "progress.hpp"

#include <cstdlib>
#include <optional>
#include <string>

namespace gpt2 {
namespace {

char const* find(zero::UserState const& state, char const* key) {
  auto const found = state.find(key);
  return found == state.end() ? nullptr : found->second.c_str();
}
void read_to(std::uint64_t& to, zero::UserState const& state, char const* key) {
  if (auto const* const text = find(state, key)) to = std::strtoull(text, nullptr, 10);
}
void read_to(double& to, zero::UserState const& state, char const* key) {
  if (auto const* const text = find(state, key)) to = std::strtod(text, nullptr);
}

}  // namespace

void RunState::write(zero::UserState& to) const {
  to["tokens"] = std::to_string(tokens);
  to["epoch"] = json_number(epoch);
}

void RunState::read(zero::UserState const& from) {
  read_to(tokens, from, "tokens");
  read_to(epoch, from, "epoch");
}

}  // namespace gpt2
