// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/joint_config.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// What ranks tell each other of a parameter of a joint step.
struct JointParameter {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::uint64_t rule = 0;        ///< fingerprint of the rule's settings
  std::uint64_t frozen = 0;      ///< whether it never changes
  std::uint64_t first_step = 0;  ///< as StepProgress::first_steps has it
};

/// The same of an engine, as one of its ranks sees it.
struct JointEngine {
  std::string name;
  std::string rule;                   ///< name
  std::vector<std::string> states;    ///< names of the rule's
  std::string scaler;                 ///< empty: none
  std::uint64_t scaler_settings = 0;  ///< fingerprint
  std::uint64_t scaler_state = 0;     ///< fingerprint
  std::uint64_t steps = 0;            ///< updates done
  std::uint64_t skipped = 0;
  std::uint64_t ranks = 1;  ///< of its communicator
  std::uint64_t rank = 0;   ///< in its communicator
  std::uint64_t stage = 0;
  std::uint64_t rounds = 1;            ///< of a step: every rank begins a micro-batch in each
  std::uint64_t micro_batches = 0;     ///< micro_batches_per_step; 0: not given
  std::uint64_t sums_once = 0;         ///< whether it reduces once per step because no setting says otherwise
  std::uint64_t sums_fastest = 0;      ///< whether its sums are not in the order of ranks because nobody has asked
  std::uint64_t may_lack = 0;          ///< whether a rank may lack gradients that others have
  std::uint64_t compute = 0;           ///< ElementType
  std::string repeated_over;           ///< MemberOptions's
  std::uint64_t first_rank = unknown;  ///< rank 0 of its communicator, in the world; only where it is repeated
  std::vector<JointParameter> parameters;

  static constexpr std::uint64_t unknown = UINT64_MAX;

  /// Tells engines apart, but for repeats, and is the same on all ranks of one.
  [[nodiscard]] std::uint64_t identity() const {
    Fingerprint fingerprint;
    fingerprint.add(name.size());
    fingerprint.add_text(name);
    for (auto const& parameter : parameters) {
      fingerprint.add(parameter.name.size());
      fingerprint.add_text(parameter.name);
    }
    return fingerprint.value();
  }
};

/// All that a rank tells the others when a joint step is made.
struct JointRank {
  std::uint64_t version = 0;  ///< of zero
  std::uint64_t position = 0;
  std::uint64_t positions = 1;
  double clipping = 0.0;
  std::uint64_t max_skipped = 0;
  std::uint64_t micro_batches = 0;  ///< 0: not given
  std::uint64_t allow_idle = 0;
  std::vector<JointEngine> engines;
};

/// Calls `visit(field)` for each field, in one order, for writing and reading alike.
template <class Visitor, class Parameter>
void visit_fields(Visitor& visit, Parameter& p) requires requires {
  p.shape;
}
{ visit(p.name), visit(p.shape), visit(p.rule), visit(p.frozen), visit(p.first_step); }
template <class Visitor, class Engine>
void visit_fields(Visitor& visit, Engine& e) requires requires {
  e.scaler;
}
{
  visit(e.name), visit(e.rule), visit(e.scaler), visit(e.scaler_settings), visit(e.scaler_state), visit(e.steps);
  visit(e.skipped), visit(e.ranks), visit(e.rank), visit(e.stage), visit(e.rounds), visit(e.micro_batches);
  visit(e.sums_once), visit(e.sums_fastest), visit(e.may_lack), visit(e.compute), visit(e.states);
  visit(e.repeated_over), visit(e.first_rank), visit(e.parameters);
}
template <class Visitor, class Rank>
void visit_fields(Visitor& visit, Rank& r) requires requires {
  r.positions;
}
{
  visit(r.version), visit(r.position), visit(r.positions), visit(r.clipping), visit(r.max_skipped);
  visit(r.micro_batches), visit(r.allow_idle), visit(r.engines);
}

/// Visits each of \p elements, by its fields where it has some.
template <class Visitor, class Elements>
void visit_elements(Visitor& visit, Elements& elements) {
  for (auto& element : elements) {
    if constexpr (requires { visit_fields(visit, element); }) {
      visit_fields(visit, element);
    } else {
      visit(element);
    }
  }
}

/// Writes fields as bytes.
class FieldWriter {
 public:
  void operator()(std::uint64_t value) { append(&value, sizeof value); }
  void operator()(double value) { append(&value, sizeof value); }
  void operator()(std::string const& text) {
    (*this)(std::uint64_t{text.size()});
    append(text.data(), text.size());
  }
  template <class Element>
  void operator()(std::vector<Element> const& elements) {
    (*this)(std::uint64_t{elements.size()});
    visit_elements(*this, elements);
  }
  [[nodiscard]] std::string const& text() const noexcept { return text_; }

 private:
  void append(void const* data, std::size_t bytes) { text_.append(static_cast<char const*>(data), bytes); }
  std::string text_;
};

/// Reads what a FieldWriter of the same library has written.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}
  void operator()(std::uint64_t& value) { take(&value, sizeof value); }
  void operator()(double& value) { take(&value, sizeof value); }
  void operator()(std::string& text) {
    text.resize(count());
    take(text.data(), text.size());
  }
  template <class Element>
  void operator()(std::vector<Element>& elements) {
    elements.resize(count());
    visit_elements(*this, elements);
  }

 private:
  [[nodiscard]] std::size_t count() {
    std::uint64_t count = 0;
    (*this)(count);
    return static_cast<std::size_t>(count);
  }
  void take(void* data, std::size_t bytes) {
    if (bytes > 0) std::memcpy(data, text_.data(), bytes);
    text_.remove_prefix(bytes);
  }
  std::string_view text_;
};

[[nodiscard]] ZERO_OUT_OF_LINE inline std::string text_of(JointRank const& rank) {
  FieldWriter write;
  visit_fields(write, rank);
  return write.text();
}
[[nodiscard]] ZERO_OUT_OF_LINE inline JointRank joint_rank_of(std::string_view text) {
  FieldReader read(text);
  JointRank rank;
  visit_fields(read, rank);
  return rank;
}

}  // namespace zero::detail
