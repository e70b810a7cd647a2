// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "misuse/misuse.hpp"

#include <zero/error.hpp>

#include <algorithm>
#include <exception>
#include <fstream>
#include <string_view>
#include <utility>

namespace misuse {
namespace {

std::vector<std::string> cells_of(std::string const& line) {
  std::vector<std::string> cells;
  for (std::size_t begin = 1; begin < line.size();) {
    auto const end = std::min(line.find('|', begin), line.size());
    auto cell = line.substr(begin, end - begin);
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    cells.push_back(std::move(cell));
    begin = end + 1;
  }
  return cells;
}

std::vector<Row> read_rows() {
  std::ifstream readme(MISUSE_FOLDER "/README.md");
  std::vector<Row> rows;
  for (std::string line; std::getline(readme, line);) {
    if (line.size() < 4 || line.compare(0, 2, "| ") != 0 || line[2] < '0' || line[2] > '9') continue;
    auto cells = cells_of(line);
    cells.resize(4);
    auto& sentence = cells[3];
    if (sentence.size() > 1 && sentence.front() == '`') sentence = sentence.substr(1, sentence.size() - 2);
    rows.push_back({cells[0], cells[1], cells[2], sentence});
  }
  return rows;
}

std::string text_of(zero::CheckpointFailure kind) {
  switch (kind) {
    case zero::CheckpointFailure::input_output:
      return "input_output";
    case zero::CheckpointFailure::no_space:
      return "no_space";
    case zero::CheckpointFailure::exists:
      return "exists";
    case zero::CheckpointFailure::not_found:
      return "not_found";
    case zero::CheckpointFailure::damaged:
      return "damaged";
    case zero::CheckpointFailure::mismatch:
      return "mismatch";
    case zero::CheckpointFailure::bad_request:
      return "bad_request";
    case zero::CheckpointFailure::locked:
      return "locked";
  }
  return "unknown";
}

std::string text_of(zero::CommunicationFailure kind) {
  switch (kind) {
    case zero::CommunicationFailure::peer_failed:
      return "peer_failed";
    case zero::CommunicationFailure::deadline:
      return "deadline";
    case zero::CommunicationFailure::mismatch:
      return "mismatch";
    case zero::CommunicationFailure::transport:
      return "transport";
  }
  return "unknown";
}

std::string type_of(std::exception const& error) {
  if (auto const* const known = dynamic_cast<zero::CheckpointError const*>(&error)) {
    return "CheckpointError, " + text_of(known->kind());
  }
  if (auto const* const known = dynamic_cast<zero::CommunicationError const*>(&error)) {
    return "CommunicationError, " + text_of(known->kind());
  }
  if (dynamic_cast<zero::ConfigurationError const*>(&error) != nullptr) return "ConfigurationError";
  if (dynamic_cast<zero::DivergenceError const*>(&error) != nullptr) return "DivergenceError";
  if (dynamic_cast<zero::GradientError const*>(&error) != nullptr) return "GradientError";
  if (dynamic_cast<zero::LeaseError const*>(&error) != nullptr) return "LeaseError";
  if (dynamic_cast<zero::LossScaleError const*>(&error) != nullptr) return "LossScaleError";
  if (dynamic_cast<zero::MismatchError const*>(&error) != nullptr) return "MismatchError";
  if (dynamic_cast<zero::SequenceError const*>(&error) != nullptr) return "SequenceError";
  return "another error";
}

// Test cases are named "misuse 07: what is done wrong".
Row row_of_test() {
  std::string const name = doctest::getContextOptions()->currentTest->m_name;
  std::string const prefix = "misuse ";
  auto const colon = name.find(": ");
  REQUIRE(name.compare(0, prefix.size(), prefix) == 0);
  REQUIRE(colon != std::string::npos);
  auto const number = name.substr(prefix.size(), colon - prefix.size());
  for (auto const& row : rows()) {
    if (row.number != number) continue;
    CHECK(row.misuse == name.substr(colon + 2));
    return row;
  }
  FAIL_CHECK("README.md has no row " << number);
  return {};
}

}  // namespace

std::vector<Row> const& rows() {
  static std::vector<Row> const all = read_rows();
  return all;
}

bool fits(std::string const& sentence, std::string const& text) {
  std::string_view const gap = "...";
  std::size_t at = 0, begin = 0;
  for (bool first = true;; first = false) {
    auto const end = sentence.find(gap, begin);
    auto const part = sentence.substr(begin, end == std::string::npos ? end : end - begin);
    if (end == std::string::npos) {
      if (first) return text == sentence;
      return text.size() >= at + part.size() && text.compare(text.size() - part.size(), part.size(), part) == 0;
    }
    auto const found = text.find(part, at);
    if (found == std::string::npos || (first && found != 0)) return false;
    at = found + part.size();
    begin = end + gap.size();
  }
}

void expect(std::function<void()> const& f) {
  auto const row = row_of_test();
  std::string type = "nothing was thrown", text;
  try {
    f();
  } catch (std::exception const& error) {
    type = type_of(error);
    text = error.what();
  }
  CHECK_MESSAGE((type == row.error && fits(row.sentence, text)), "README.md should say: | "
                                                                     << row.number << " | " << row.misuse << " | "
                                                                     << type << " | `" << text << "` |");
}

void allowed() { CHECK(row_of_test().error == "allowed"); }

std::unique_ptr<Engine> make_engine(zero::Stage stage, Ranks& ranks, zero::ParameterList const& parameters,
                                    Engine::Config const& config) {
  return std::make_unique<Engine>(stage, ranks, parameters, config);
}
std::unique_ptr<HalfEngine> make_half_engine(zero::Stage stage, Ranks& ranks, zero::ParameterList const& parameters) {
  return std::make_unique<HalfEngine>(stage, ranks, parameters);
}

void Alone::end_engine() { engine.reset(); }

zero::ParameterList parameters(std::initializer_list<std::size_t> sizes) {
  zero::ParameterList list;
  int unit = 0;
  for (auto const size : sizes) {
    (void)list.add({.name = "p" + std::to_string(unit), .shape = {size}, .unit = unit});
    ++unit;
  }
  return list;
}

}  // namespace misuse
