// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/crc32c.hpp>
#include <zero/checkpoint/detail/names.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>
#include <zero/version.hpp>

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

namespace detail {

/// As in "zero 0.1.0".
inline std::string library_name() {
  return concat({"zero ", ZERO_VERSION_MAJOR, ".", ZERO_VERSION_MINOR, ".", ZERO_VERSION_PATCH});
}

}  // namespace detail

/// What the caller wants to find again: data order, random state, options. Values are any bytes.
using UserState = std::map<std::string, std::string>;

/// A parameter, or a tensor beside them, as the checkpoint holds it.
struct ManifestParameter {
  std::string name;                      ///< unique
  std::vector<std::uint64_t> shape;      ///< sizes of the dimensions, row-major
  ElementType type = ElementType::fp32;  ///< of its values in the files
  bool frozen = false;                   ///< has no states
  bool is_tensor = false;                ///< version 2: no parameter, see NamedTensor; frozen, and of any type
  // What version 2 may say of a parameter that differs from the checkpoint's own; absent: it does not.
  std::optional<std::string> rule{};                 ///< name of the rule that has made its states
  std::optional<std::vector<std::string>> states{};  ///< names of its states, in order
  std::optional<std::string> scaler{};               ///< name of the loss scaler of its gradients
  std::optional<std::uint64_t> steps{};              ///< updates of its own

  /// Whether it says something of its own training.
  [[nodiscard]] bool has_own_training() const noexcept { return rule || states || scaler || steps; }
  /// Whether only version 2 can say what is known of it.
  [[nodiscard]] bool needs_version_2() const noexcept { return is_tensor || has_own_training(); }
  /// Number of elements.
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t product = 1;
    for (auto const dimension : shape) product *= dimension;
    return product;
  }
};

/// Elements [begin, end) of one parameter.
struct ManifestRange {
  std::uint32_t parameter = 0;  ///< place in the manifest's list
  std::uint64_t begin = 0;      ///< first element
  std::uint64_t end = 0;        ///< element after the last
};

/// One safetensors file: the ranges of one kind that one rank wrote.
struct ManifestFile {
  std::string name;                   ///< unique
  std::string kind;                   ///< `parameters`, or the name of a state
  int rank = 0;                       ///< which wrote it
  std::uint64_t bytes = 0;            ///< size of the file
  std::uint64_t data_begin = 0;       ///< bytes of the file before the first range
  std::vector<std::uint32_t> crc32c;  ///< of each chunk of the file
  std::vector<ManifestRange> ranges;  ///< in the order of their data, without gaps
};

/// Everything about one checkpoint but the elements.
struct Manifest {
  /// The newest version of the format that this library reads and writes.
  static constexpr std::uint64_t current_version = 2;
  /// Bytes that one checksum covers, where nobody asks for another number.
  static constexpr std::uint64_t default_chunk = std::uint64_t{16} << 20U;
  static constexpr std::uint64_t largest = std::uint64_t{256} << 20U;  ///< bytes of a manifest

  std::string library = detail::library_name();  ///< what wrote it
  std::string tag;                               ///< name of the folder
  std::string nonce;                             ///< of this one save, in every file of it
  int world = 1;                                 ///< ranks that saved it
  Stage stage = Stage::none;                     ///< of the engine that saved it
  ElementType compute = ElementType::fp32;       ///< of the engine that saved it
  std::uint64_t bucket_elements = 0,             ///< layout of the engine that saved it; a loader needs none of it
      alignment_elements = 0,                    ///< the same
      persistence_threshold = 0;                 ///< the same
  std::optional<int> micro_batches_per_step{};   ///< of the engine that saved it, where it was given
  std::uint64_t chunk = default_chunk;           ///< bytes per checksum
  bool has_optimizer_state = true;               ///< with the rule's states; otherwise parameters only
  std::string rule;                              ///< name of the rule
  std::vector<std::string> states;               ///< names of the rule's states, in order
  std::string scaler;                            ///< name of the loss scaler
  std::vector<std::byte> scaler_state;           ///< its state, as bytes
  std::uint64_t steps = 0,                       ///< updates done
      skipped = 0;                               ///< steps skipped
  std::vector<ManifestParameter> parameters;     ///< in the order of registration
  std::vector<ManifestFile> files;               ///< all files but the manifest
  UserState user_state;                          ///< the trainer's own

  /// The version of the format that this checkpoint needs: 1, unless a parameter says something of its own or
  /// there are tensors beside them, so that older libraries can read what they understand.
  [[nodiscard]] std::uint64_t version() const noexcept {
    for (auto const& parameter : parameters) {
      if (parameter.needs_version_2()) return 2;
    }
    return 1;
  }
  /// Bytes of all files.
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    std::uint64_t sum = 0;
    for (auto const& file : files) sum += file.bytes;
    return sum;
  }
  /// Name of the rule that has made the states of parameter \p p.
  [[nodiscard]] std::string const& rule_of(std::uint32_t p) const {
    return parameters[p].rule ? *parameters[p].rule : rule;
  }
  /// Names of the states of parameter \p p, which is not frozen, in order.
  [[nodiscard]] std::vector<std::string> const& states_of(std::uint32_t p) const {
    return parameters[p].states ? *parameters[p].states : states;
  }
  /// Names of all kinds of files: parameters, and the states of any parameter.
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> kinds{std::string(detail::parameters_kind)};
    if (!has_optimizer_state) return kinds;
    kinds.insert(kinds.end(), states.begin(), states.end());
    for (auto const& parameter : parameters) {
      if (!parameter.states) continue;
      for (auto const& state : *parameter.states) {
        if (std::find(kinds.begin(), kinds.end(), state) == kinds.end()) kinds.push_back(state);
      }
    }
    return kinds;
  }
  /// The type of the elements of one kind of parameter \p p: states are fp32.
  [[nodiscard]] ElementType type_of(std::string_view kind, std::uint32_t p) const {
    return kind == detail::parameters_kind ? parameters[p].type : ElementType::fp32;
  }
};

namespace detail {

inline std::string hex(std::span<std::byte const> bytes) {
  std::string text;
  for (auto const byte : bytes) text += hex(static_cast<std::uint64_t>(byte), 2);
  return text;
}

/// Text as a string, other bytes as {"hex": ...}.
inline Json json_of_bytes(std::string const& bytes) {
  if (is_utf8(bytes)) return bytes;
  return Json::Object{{"hex", hex(std::as_bytes(std::span(bytes)))}};
}

inline Json json_of(ManifestParameter const& parameter) {
  Json::Object members{{"name", parameter.name},
                       {"shape", Json::Array(parameter.shape.begin(), parameter.shape.end())},
                       {"type", name(parameter.type)},
                       {"frozen", parameter.frozen}};
  if (parameter.is_tensor) members.emplace_back("tensor", true);
  if (parameter.rule) members.emplace_back("rule", *parameter.rule);
  if (parameter.states) members.emplace_back("states", Json::Array(parameter.states->begin(), parameter.states->end()));
  if (parameter.scaler) members.emplace_back("scaler", *parameter.scaler);
  if (parameter.steps) members.emplace_back("steps", *parameter.steps);
  return members;
}

inline Json json_of(ManifestFile const& file) {
  Json::Array checksums, ranges;
  for (auto const crc : file.crc32c) checksums.emplace_back(hex(crc, 8));
  for (auto const& range : file.ranges) {
    for (std::uint64_t const number : {std::uint64_t{range.parameter}, range.begin, range.end}) {
      ranges.emplace_back(number);
    }
  }
  return Json::Object{{"name", file.name},
                      {"kind", file.kind},
                      {"rank", static_cast<std::uint64_t>(file.rank)},
                      {"bytes", file.bytes},
                      {"data_begin", file.data_begin},
                      {"crc32c", std::move(checksums)},
                      {"ranges", std::move(ranges)}};
}

template <class List>
Json json_of_all(List const& list) {
  Json::Array array;
  for (auto const& entry : list) array.push_back(json_of(entry));
  return array;
}

/// The last line of a manifest holds the checksum of all that precedes it.
inline std::string manifest_end(std::string_view text) {
  return ",\n\"crc32c\":\"" + hex(detail::crc32c(std::as_bytes(std::span(text))), 8) + "\"}\n";
}

}  // namespace detail

/// The text of `manifest.json`: one member per line, the last of which is the checksum of all lines before it.
[[nodiscard]] inline std::string to_text(Manifest const& manifest) {
  Json::Object caller;
  for (auto const& [key, value] : manifest.user_state) caller.emplace_back(key, detail::json_of_bytes(value));
  Json::Object const layout{{"bucket_elements", manifest.bucket_elements},
                            {"granule", manifest.alignment_elements},
                            {"whole_below", manifest.persistence_threshold}};
  Json::Object members{{"format", std::string(detail::checkpoint_format)},
                       {"version", manifest.version()},
                       {"library", manifest.library},
                       {"tag", manifest.tag},
                       {"nonce", manifest.nonce},
                       {"world", static_cast<std::uint64_t>(manifest.world)},
                       {"stage", static_cast<std::uint64_t>(manifest.stage)},
                       {"compute", name(manifest.compute)},
                       {"layout", layout},
                       {"chunk", manifest.chunk},
                       {"complete", manifest.has_optimizer_state},
                       {"rule", manifest.rule},
                       {"states", Json::Array(manifest.states.begin(), manifest.states.end())},
                       {"scaler", manifest.scaler},
                       {"scaler_state", detail::hex(manifest.scaler_state)},
                       {"steps", manifest.steps},
                       {"skipped", manifest.skipped},
                       {"parameters", detail::json_of_all(manifest.parameters)},
                       {"files", detail::json_of_all(manifest.files)},
                       {"caller", caller}};
  if (manifest.micro_batches_per_step) {
    auto const number = static_cast<std::uint64_t>(*manifest.micro_batches_per_step);
    members.insert(members.begin() + 9, {"micro_batches_per_step", number});
  }
  std::string text = "{";
  for (std::string_view separator = "\n"; auto const& [key, value] : members) {
    text += std::exchange(separator, ",\n");
    write_json_string(text, key);
    text += ':';
    write_json(text, value);
  }
  return text + detail::manifest_end(text);
}

namespace detail {

/// The text of a manifest that can be read again. \throws CheckpointError (bad_request) where it is larger than that.
[[nodiscard]] inline std::string text_to_save(Manifest const& manifest) {
  auto text = to_text(manifest);
  if (text.size() <= Manifest::largest) return text;
  std::uint64_t state = 0;
  for (auto const& [key, value] : manifest.user_state) state += key.size() + value.size();
  throw CheckpointError(
      CheckpointFailure::bad_request,
      concat({"zero: the manifest of a checkpoint has at most ", Manifest::largest >> 20U,
              " MiB, and this one would have ", text.size() >> 20U, ", with the ", state,
              " bytes of the caller's state: save what is large as named tensors, or in a file beside"}));
}

}  // namespace detail

}  // namespace zero
