// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Random runs of the engine against a plain loop, bit by bit.
//
//   --seeds N [--first S]   N runs, of the seeds from S on
//   --one "<line>"          the run that a line describes
//   --draw N [--first S]    prints the lines of N seeds
//   --mutants [--first S]   makes the plain loop wrong in one way after another; each must be found
//   --without a,b,...       leaves features out of the draw; see draw.hpp
//
// Ends with 0 where nothing differs, with 1 for a difference, and with 2 for an argument that it does not know.

#include "differential/draw.hpp"
#include "differential/engine_runs.hpp"
#include "differential/line.hpp"
#include "differential/mutants.hpp"
#include "differential/outcome.hpp"
#include "differential/plain_training.hpp"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace differential {
namespace {

struct Options {
  enum class Mode : std::uint8_t { seeds, one, draw, mutants } mode = Mode::seeds;
  std::uint64_t seeds = 300, first = 1;
  std::string line;
  Features features;
};

std::uint64_t number(std::string const& text) {
  std::size_t read = 0;
  std::uint64_t const value = std::stoull(text, &read);
  if (read != text.size()) throw std::invalid_argument("\"" + text + "\" is not a number");
  return value;
}

void leave_out(Features& features, std::string const& names) {
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    bool* const on = feature(features, name);
    if (on == nullptr) throw std::invalid_argument("there is no feature \"" + name + "\"");
    *on = false;
  }
}

Options parse(std::vector<std::string> const& arguments) {
  Options options;
  options.features.types = built_types();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto const& name = arguments[i];
    auto const value = [&]() -> std::string const& {
      if (i + 1 == arguments.size()) throw std::invalid_argument(name + " needs a value");
      return arguments[++i];
    };
    if (name == "--seeds") {
      options.seeds = number(value());
    } else if (name == "--first") {
      options.first = number(value());
    } else if (name == "--one") {
      options.mode = Options::Mode::one, options.line = value();
    } else if (name == "--draw") {
      options.mode = Options::Mode::draw, options.seeds = number(value());
    } else if (name == "--mutants") {
      options.mode = Options::Mode::mutants;
    } else if (name == "--without") {
      leave_out(options.features, value());
    } else {
      throw std::invalid_argument("there is no option " + name);
    }
  }
  return options;
}

// What is different between a scenario's engines and the plain loop; empty: nothing.
std::string difference(Scenario const& scenario) {
  try {
    auto const expected = train_plainly(scenario);
    auto const ranks = train_by_engines(scenario);
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      auto const text = first_difference(expected, ranks[rank]);
      if (!text.empty()) return "rank " + std::to_string(rank) + ", " + text;
    }
  } catch (std::exception const& error) {
    return std::string("error: ") + error.what();
  }
  return {};
}

bool agrees(Scenario const& scenario) {
  auto const text = difference(scenario);
  if (text.empty()) return true;
  std::printf("seed %llu: %s\n  to reproduce: --one \"%s\"\n", static_cast<unsigned long long>(scenario.seed),
              text.c_str(), to_line(scenario).c_str());
  std::fflush(stdout);
  return false;
}

int run_seeds(Options const& options) {
  constexpr int enough = 20;
  int different = 0;
  std::uint64_t seed = options.first;
  for (; seed < options.first + options.seeds && different < enough; ++seed) {
    different += agrees(draw(seed, options.features)) ? 0 : 1;
  }
  std::printf("%llu runs, %d of them different\n", static_cast<unsigned long long>(seed - options.first), different);
  return different == 0 ? 0 : 1;
}

int run_mutants(Options const& options) {
  constexpr std::uint64_t patience = 400;
  std::vector<std::size_t> alive;
  for (std::size_t m = 1; m < mutant_names.size(); ++m) alive.push_back(m);
  std::uint64_t tried = 0;
  for (; tried < patience && !alive.empty(); ++tried) {
    auto const scenario = draw(options.first + tried, options.features);
    auto const engine = train_by_engines(scenario).front();
    if (!first_difference(train_plainly(scenario), engine).empty()) continue;  // run_seeds reports it
    std::erase_if(alive, [&](std::size_t m) {
      auto const text = first_difference(train_plainly(scenario, static_cast<Mutant>(m)), engine);
      if (!text.empty()) {
        std::printf("%s: found by seed %llu: %s\n", mutant_names[m], static_cast<unsigned long long>(scenario.seed),
                    text.c_str());
      }
      return !text.empty();
    });
  }
  for (auto m : alive) std::printf("%s: NOT FOUND\n", mutant_names[m]);
  std::printf("%zu mutants, %zu not found in %llu runs\n", mutant_names.size() - 1, alive.size(),
              static_cast<unsigned long long>(tried));
  return alive.empty() ? 0 : 1;
}

int run(Options const& options) {
  switch (options.mode) {
    case Options::Mode::one:
      if (!agrees(from_line(options.line))) return 1;
      std::printf("no difference\n");
      return 0;
    case Options::Mode::draw:
      for (std::uint64_t i = 0; i < options.seeds; ++i) {
        std::printf("%s\n", to_line(draw(options.first + i, options.features)).c_str());
      }
      return 0;
    case Options::Mode::mutants:
      return run_mutants(options);
    default:
      return run_seeds(options);
  }
}

}  // namespace
}  // namespace differential

int main(int argc, char** argv) {
  try {
    return differential::run(differential::parse({argv + 1, argv + argc}));
  } catch (std::exception const& error) {
    std::fprintf(stderr, "differential: %s\n", error.what());
    return 2;
  }
}
