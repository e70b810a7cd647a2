// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>
#include <zero/support/json_reader.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

namespace zero::detail {
[[noreturn]] inline void bad_manifest(std::string_view why) {
  throw CheckpointError(CheckpointFailure::damaged, concat({"zero: invalid manifest: ", why}));
}

/// The values of one JSON object by name and type, each of which must be there.
class ManifestFields {
 public:
  ManifestFields(Json const& object, std::string_view what) : object_(object), what_(what) {}

  template <class Type>
  [[nodiscard]] Type const& get(std::string_view field) const {
    auto const* const value = object_.find(field);
    auto const* const typed = value == nullptr ? nullptr : value->get<Type>();
    if (typed == nullptr) {
      bad_manifest(concat({what_, " has no member ", quote(field), " of the type that it must have"}));
    }
    return *typed;
  }
  [[nodiscard]] std::uint64_t number(std::string_view field, std::uint64_t largest = UINT64_MAX) const {
    auto const value = get<std::uint64_t>(field);
    if (value > largest) bad_manifest(concat({field, " of ", what_, " is ", value, ", more than ", largest}));
    return value;
  }
  /// Whether there is such a member, of whatever type.
  [[nodiscard]] bool has(std::string_view field) const { return object_.find(field) != nullptr; }
  [[nodiscard]] std::string const& text(std::string_view field) const { return get<std::string>(field); }
  [[nodiscard]] Json::Array const& array(std::string_view field) const { return get<Json::Array>(field); }
  /// \p each is made of every element of an array.
  template <class Type, class Function>
  [[nodiscard]] std::vector<Type> list(std::string_view field, Function&& each) const {
    std::vector<Type> values;
    for (auto const& element : array(field)) values.push_back(each(element));
    return values;
  }

 private:
  Json const& object_;
  std::string_view what_;
};

inline std::string text_of_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    auto const pair = text.substr(i, 2);
    auto const [end, error] = std::from_chars(pair.data(), pair.data() + pair.size(), value, 16);
    if (pair.size() != 2 || error != std::errc() || end != pair.data() + 2) bad_manifest("bytes in hex are malformed");
    bytes += static_cast<char>(value);
  }
  return bytes;
}

inline ElementType element_type_of(std::string_view text) {
  for (std::size_t i = 0; i < element_types; ++i) {
    if (auto const type = static_cast<ElementType>(i); name(type) == text) return type;
  }
  bad_manifest(concat({"the type ", quote(text), " is unknown"}));
}

inline std::uint64_t natural_of(Json const& value) {
  auto const* const number = value.get<std::uint64_t>();
  if (number == nullptr) bad_manifest("a list holds something else than whole numbers");
  return *number;
}
inline std::string string_of(Json const& value) {
  auto const* const text = value.get<std::string>();
  if (text == nullptr) bad_manifest("a list holds something else than strings");
  return *text;
}

inline void check_parameter_type(ElementType type) {
  if (!is_parameter_type(type)) bad_manifest(concat({"the type ", quote(name(type)), " is that of no parameter"}));
}

/// What only version 2 says of a parameter.
inline void read_version_2(ManifestFields const& fields, ManifestParameter& parameter) {
  if (fields.has("rule")) parameter.rule = fields.text("rule");
  if (fields.has("states")) parameter.states = fields.list<std::string>("states", string_of);
  if (fields.has("scaler")) parameter.scaler = fields.text("scaler");
  if (fields.has("steps")) parameter.steps = fields.number("steps");
  if (fields.has("tensor")) parameter.is_tensor = fields.get<bool>("tensor");
  if (parameter.frozen && parameter.has_own_training()) {
    bad_manifest(concat({"parameter ", quote(parameter.name), " is frozen, and has states or steps"}));
  }
  if (parameter.is_tensor && !parameter.frozen) {
    bad_manifest(concat({quote(parameter.name), " is a tensor beside the parameters, and is not frozen"}));
  }
}

inline ManifestParameter parameter_of(Json const& value, std::uint64_t version) {
  ManifestFields const fields(value, "a parameter");
  ManifestParameter parameter{.name = fields.text("name"),
                              .shape = fields.list<std::uint64_t>("shape", natural_of),
                              .type = element_type_of(fields.text("type")),
                              .frozen = fields.get<bool>("frozen")};
  if (version >= 2) read_version_2(fields, parameter);
  if (!parameter.is_tensor) check_parameter_type(parameter.type);
  std::uint64_t count = 1;
  for (auto const dimension : parameter.shape) {
    if (dimension == 0 || count > (std::uint64_t{1} << 48U) / dimension) {
      bad_manifest(concat({"parameter ", quote(parameter.name), " has no elements or more than 2^48"}));
    }
    count *= dimension;
  }
  return parameter;
}

inline std::vector<ManifestRange> ranges_of(Json::Array const& numbers, Manifest const& manifest) {
  if (numbers.size() % 3 != 0) bad_manifest("ranges come in threes: parameter, begin, end");
  std::vector<ManifestRange> ranges;
  for (std::size_t i = 0; i < numbers.size(); i += 3) {
    std::uint64_t const p = natural_of(numbers[i]), begin = natural_of(numbers[i + 1]),
                        end = natural_of(numbers[i + 2]);
    if (p >= manifest.parameters.size()) bad_manifest(concat({"there is no parameter ", p}));
    if (begin >= end || end > manifest.parameters[static_cast<std::size_t>(p)].count()) {
      bad_manifest(concat({"elements ", begin, " to ", end, " are no range of parameter ",
                           quote(manifest.parameters[static_cast<std::size_t>(p)].name)}));
    }
    ranges.push_back({static_cast<std::uint32_t>(p), begin, end});
  }
  return ranges;
}

inline constexpr std::uint64_t largest_file = std::uint64_t{1} << 60U;  // bytes

/// Size and checksums must be those of the ranges, so that nothing later reads beyond a chunk or a file.
inline void check_sizes(ManifestFile const& file, Manifest const& manifest) {
  std::uint64_t bytes = file.data_begin;
  for (auto const& range : file.ranges) {
    std::uint64_t const size = element_size(manifest.type_of(file.kind, range.parameter));
    if (bytes % size != 0) bad_manifest(concat({"elements of file ", quote(file.name), " are not aligned"}));
    bytes += (range.end - range.begin) * size;
    // One range has at most 2^50 bytes, so that the sum is stopped long before it could wrap.
    if (bytes > largest_file) bad_manifest(concat({"file ", quote(file.name), " is larger than 2^60 bytes"}));
  }
  if (file.data_begin < 8 || file.data_begin % 8 != 0 || bytes != file.bytes) {
    bad_manifest(concat({"file ", quote(file.name), " has ", file.bytes, " bytes, its ranges need ", bytes}));
  }
  if (file.crc32c.size() != (file.bytes + manifest.chunk - 1) / manifest.chunk) {
    bad_manifest(
        concat({"file ", quote(file.name), " has ", file.crc32c.size(), " checksums for ", file.bytes, " bytes"}));
  }
}

inline ManifestFile file_of(Json const& value, Manifest const& manifest) {
  ManifestFields const fields(value, "a file");
  ManifestFile file{.name = fields.text("name"),
                    .kind = fields.text("kind"),
                    .rank = static_cast<int>(fields.number("rank", static_cast<std::uint64_t>(manifest.world) - 1)),
                    .bytes = fields.number("bytes", largest_file),
                    .data_begin = fields.number("data_begin", std::uint64_t{1} << 32U),
                    .crc32c = {},
                    .ranges = ranges_of(fields.array("ranges"), manifest)};
  for (auto const& element : fields.array("crc32c")) {
    auto const bytes = text_of_hex(string_of(element));
    if (bytes.size() != 4) bad_manifest("a checksum has not 8 digits");
    std::uint32_t crc = 0;
    for (char const byte : bytes) crc = crc << 8U | static_cast<unsigned char>(byte);
    file.crc32c.push_back(crc);
  }
  if (file.name != shard_name(file.kind, file.rank, manifest.world)) {
    bad_manifest(
        concat({"a file of rank ", file.rank, " and kind ", quote(file.kind), " cannot be called ", quote(file.name)}));
  }
  check_sizes(file, manifest);
  return file;
}

inline bool has_state(Manifest const& manifest, std::uint32_t parameter, std::string_view kind) {
  auto const& states = manifest.states_of(parameter);
  return std::find(states.begin(), states.end(), kind) != states.end();
}

/// Every element of every kind is in the files once.
inline void check_coverage(Manifest const& manifest) {
  auto const kinds = manifest.kinds();
  std::map<std::string_view, std::vector<ManifestRange>> ranges;
  for (auto const& kind : kinds) ranges[kind];
  for (auto const& file : manifest.files) {
    auto const of_kind = ranges.find(file.kind);
    if (of_kind == ranges.end()) bad_manifest(concat({"there is a file of the unknown kind ", quote(file.kind)}));
    of_kind->second.insert(of_kind->second.end(), file.ranges.begin(), file.ranges.end());
  }
  for (auto& [kind, all] : ranges) {
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) {
      return std::tuple(a.parameter, a.begin) < std::tuple(b.parameter, b.begin);
    });
    auto at = all.begin();
    for (std::uint32_t p = 0; p < manifest.parameters.size(); ++p) {
      auto const& parameter = manifest.parameters[p];
      std::uint64_t covered = 0;
      for (; at != all.end() && at->parameter == p && at->begin == covered; ++at) covered = at->end;
      bool const none = kind != parameters_kind && (parameter.frozen || !has_state(manifest, p, kind));
      if (covered == (none ? 0 : parameter.count())) continue;
      bad_manifest(concat({kind, " of ", quote(parameter.name), " is not there exactly once at element ", covered}));
    }
    if (at != all.end()) bad_manifest(concat({kind, " holds elements twice"}));
  }
}

inline void check_state_names(std::vector<std::string> const& states) {
  std::unordered_set<std::string> kinds{std::string(parameters_kind)};
  for (auto const& kind : states) {
    if (!is_safe_name(kind) || !kinds.insert(kind).second) bad_manifest("a state has no name of its own");
  }
}

inline void check_names(Manifest const& manifest) {
  std::unordered_set<std::string> names, files;
  for (auto const& parameter : manifest.parameters) {
    if (!names.insert(parameter.name).second)
      bad_manifest(concat({"parameter ", quote(parameter.name), " is there twice"}));
    if (parameter.states) check_state_names(*parameter.states);
  }
  check_state_names(manifest.states);
  for (auto const& file : manifest.files) {
    if (!is_safe_name(file.name) || !files.insert(file.name).second) {
      bad_manifest(concat({"file ", quote(file.name), " is there twice, or no file of this folder"}));
    }
  }
  if (!is_valid_tag(manifest.tag)) bad_manifest("its tag is not valid");
}

/// What else \p text is the manifest of, as its member `format` says; nothing where it is a checkpoint's or no JSON.
[[nodiscard]] inline std::optional<std::string> other_format(std::string_view text) {
  try {
    Json const json = parse_json(text, 4);
    auto const* const member = json.find("format");
    auto const* const format = member == nullptr ? nullptr : member->get<std::string>();
    if (format != nullptr && *format != checkpoint_format) return *format;
  } catch (Error const&) {
  }
  return std::nullopt;
}

inline void check_checksum(std::string_view text) {
  std::size_t const end = manifest_end({}).size();
  if (text.size() < end || text.substr(text.size() - end) != manifest_end(text.substr(0, text.size() - end))) {
    if (auto const format = other_format(text)) {
      throw CheckpointError(CheckpointFailure::mismatch,
                            concat({"zero: the manifest is that of a folder of ", quote(*format),
                                    ", and of no checkpoint: name another"}));
    }
    bad_manifest("its checksum does not fit its text: it is truncated or altered");
  }
}

/// The version of the format.
inline std::uint64_t check_format(ManifestFields const& fields) {
  if (fields.text("format") != checkpoint_format) bad_manifest("it is of another format");
  auto const version = fields.number("version");
  if (version >= 1 && version <= Manifest::current_version) return version;
  throw CheckpointError(CheckpointFailure::mismatch,
                        concat({"zero: the checkpoint has version ", version, " of the format, and this is ",
                                library_name(), ", which reads versions 1 to ", Manifest::current_version,
                                ": use the version of the library that wrote it, ", fields.text("library")}));
}

inline UserState user_state_of(Json::Object const& object) {
  UserState state;
  for (auto const& [key, value] : object) {
    auto const* const text = value.get<std::string>();
    state[key] = text != nullptr ? *text : text_of_hex(ManifestFields(value, "caller").text("hex"));
  }
  return state;
}

/// Reads and checks the text of a manifest: a Manifest that it returns describes files in which every element is there
/// once, and no size or offset of it leads astray. \throws CheckpointError (damaged), or (mismatch) for another version
/// of the format, or another format.
[[nodiscard]] inline Manifest parse_manifest(std::string_view text) {
  check_checksum(text);
  Json const json = parse_json(text, 4);
  ManifestFields const fields(json, "the manifest");
  auto const version = check_format(fields);
  (void)fields.get<Json::Object>("layout");
  ManifestFields const layout(*json.find("layout"), "layout");
  Manifest manifest;
  manifest.library = fields.text("library");
  manifest.tag = fields.text("tag");
  manifest.nonce = fields.text("nonce");
  manifest.world = static_cast<int>(fields.number("world", 1U << 20U));
  if (manifest.world == 0) bad_manifest("its world has no ranks");
  manifest.stage = static_cast<Stage>(fields.number("stage", 3));
  manifest.compute = element_type_of(fields.text("compute"));
  check_parameter_type(manifest.compute);
  manifest.bucket_elements = layout.number("bucket_elements");
  manifest.alignment_elements = layout.number("granule");
  manifest.persistence_threshold = layout.number("whole_below");
  if (fields.has("micro_batches_per_step")) {
    manifest.micro_batches_per_step = static_cast<int>(fields.number("micro_batches_per_step", 1U << 30U));
    if (*manifest.micro_batches_per_step == 0) bad_manifest("its steps have no micro-batch");
  }
  manifest.chunk = fields.number("chunk", std::uint64_t{1} << 30U);
  if (manifest.chunk < 8 || manifest.chunk % 8 != 0) bad_manifest("its chunk is no multiple of 8 bytes");
  manifest.has_optimizer_state = fields.get<bool>("complete");
  manifest.rule = fields.text("rule");
  manifest.states = fields.list<std::string>("states", string_of);
  manifest.scaler = fields.text("scaler");
  auto const scaler = text_of_hex(fields.text("scaler_state"));
  for (char const byte : scaler) manifest.scaler_state.push_back(static_cast<std::byte>(byte));
  manifest.steps = fields.number("steps");
  manifest.skipped = fields.number("skipped");
  manifest.parameters = fields.list<ManifestParameter>(
      "parameters", [version](Json const& value) { return parameter_of(value, version); });
  manifest.files = fields.list<ManifestFile>("files", [&](Json const& value) { return file_of(value, manifest); });
  manifest.user_state = user_state_of(fields.get<Json::Object>("caller"));
  check_names(manifest);
  check_coverage(manifest);
  return manifest;
}

}  // namespace zero::detail
