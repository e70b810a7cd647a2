// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/json_reader.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace zero::detail {

/// One tensor of a safetensors file.
struct TensorEntry {
  std::string name;
  std::string type;  ///< as the format spells it, such as F32, F16, BF16
  std::vector<std::uint64_t> shape{};
  std::uint64_t begin = 0;  ///< bytes from the start of the data; set by `lay_out`
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return end - begin; }
  friend bool operator==(TensorEntry const&, TensorEntry const&) = default;
};

/// The header of a safetensors file (https://github.com/huggingface/safetensors): 8 bytes N, little endian; N bytes of
/// JSON; then the data of all tensors without gaps. Knows nothing of files.
struct SafetensorsHeader {
  using Metadata = std::vector<std::pair<std::string, std::string>>;
  static constexpr std::uint64_t largest = 100'000'000;  ///< bytes of JSON, as in the reference implementation

  std::vector<TensorEntry> tensors{};  ///< in the order of their data
  Metadata metadata{};
  std::uint64_t data_begin = 8;  ///< bytes from the start of the file: 8 + N

  [[nodiscard]] std::uint64_t data_bytes() const noexcept { return tensors.empty() ? 0 : tensors.back().end; }
  [[nodiscard]] TensorEntry const* find(std::string_view name) const noexcept {
    auto const is_it = [&](TensorEntry const& tensor) { return tensor.name == name; };
    auto const found = std::find_if(tensors.begin(), tensors.end(), is_it);
    return found == tensors.end() ? nullptr : &*found;
  }
};

/// Bits of one element of a safetensors type; 0 for an unknown one.
[[nodiscard]] inline std::uint64_t safetensors_bits(std::string_view type) noexcept {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 20> types{
      {{"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"BOOL", 8}, {"U8", 8},   {"I8", 8},    {"F8_E4M3", 8},
       {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"I16", 16},    {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32},
       {"U32", 32},    {"F32", 32},    {"I64", 64},    {"U64", 64}, {"F64", 64}, {"C64", 64}}};
  for (auto const& [name, bits] : types) {
    if (name == type) return bits;
  }
  return 0;
}

[[noreturn]] inline void bad_safetensors(std::string_view why) {
  throw CheckpointError(CheckpointFailure::damaged, concat({"zero: invalid safetensors file: ", why}));
}

/// Bytes of a tensor; checked, because both factors come from a file.
inline std::uint64_t tensor_bytes(TensorEntry const& tensor) {
  std::uint64_t bits = safetensors_bits(tensor.type);
  if (bits == 0) {
    bad_safetensors(concat({"tensor ", quote(tensor.name), " has the unknown type ", tensor.type}));
  }
  for (auto const dimension : tensor.shape) {
    if (dimension != 0 && bits > (std::numeric_limits<std::uint64_t>::max)() / dimension) {
      bad_safetensors(concat({"the size of tensor ", quote(tensor.name), " overflows"}));
    }
    bits *= dimension;
  }
  if (bits % 8 != 0) {
    bad_safetensors(concat({"tensor ", quote(tensor.name), " does not end at a whole byte"}));
  }
  return bits / 8;
}

inline std::vector<std::uint64_t> read_naturals(Json const* value, std::string const& tensor, char const* what) {
  auto const* const array = value == nullptr ? nullptr : value->get<Json::Array>();
  std::vector<std::uint64_t> numbers;
  if (array != nullptr) {
    for (auto const& element : *array) {
      auto const* const number = element.get<std::uint64_t>();
      if (number == nullptr) break;
      numbers.push_back(*number);
    }
  }
  if (array == nullptr || numbers.size() != array->size()) {
    bad_safetensors(
        concat({"the ", what, " of tensor ", quote(tensor), " is no list of whole numbers that are not negative"}));
  }
  return numbers;
}

inline TensorEntry read_tensor_entry(std::string const& name, Json const& value) {
  auto const* const object = value.get<Json::Object>();
  auto const* const type_value = value.find("dtype");
  auto const* const type = type_value == nullptr ? nullptr : type_value->get<std::string>();
  if (object == nullptr || type == nullptr || object->size() != 3) {
    bad_safetensors(concat({"tensor ", quote(name), " must have dtype, shape and data_offsets only"}));
  }
  TensorEntry tensor{.name = name, .type = *type, .shape = read_naturals(value.find("shape"), name, "shape")};
  auto const offsets = read_naturals(value.find("data_offsets"), name, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    bad_safetensors(concat({"the data_offsets of tensor ", quote(name), " are not two in order"}));
  }
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  if (tensor.bytes() != tensor_bytes(tensor)) {
    bad_safetensors(concat({"tensor ", quote(name), " has ", tensor.bytes(), " bytes of data, but its shape needs ",
                            tensor_bytes(tensor)}));
  }
  return tensor;
}

inline SafetensorsHeader::Metadata read_metadata(Json const& value) {
  auto const* const object = value.get<Json::Object>();
  SafetensorsHeader::Metadata metadata;
  for (auto const& [key, entry] : object == nullptr ? Json::Object{} : *object) {
    if (auto const* const text = entry.get<std::string>()) metadata.emplace_back(key, *text);
  }
  if (object == nullptr || metadata.size() != object->size()) {
    bad_safetensors("__metadata__ must map strings to strings");
  }
  return metadata;
}

/// No hole and no overlap, and nothing before or behind.
inline void check_contiguous(SafetensorsHeader& header, std::uint64_t data_bytes) {
  auto const place = [](TensorEntry const& tensor) { return std::pair(tensor.begin, tensor.end); };
  std::sort(header.tensors.begin(), header.tensors.end(),
            [&](auto const& a, auto const& b) { return place(a) < place(b); });
  std::uint64_t end = 0;
  for (auto const& tensor : header.tensors) {
    if (tensor.begin != end) {
      bad_safetensors(
          concat({"the data of tensor ", quote(tensor.name), " begins at ", tensor.begin, " instead of ", end}));
    }
    end = tensor.end;
  }
  if (end != data_bytes)
    bad_safetensors(concat({"its tensors have ", end, " bytes of data, but it holds ", data_bytes}));
}

/// N, from the first bytes of a file of \p file_bytes. \throws CheckpointError (damaged) where it cannot be.
[[nodiscard]] inline std::uint64_t safetensors_header_bytes(std::span<std::byte const> first,
                                                            std::uint64_t file_bytes) {
  if (file_bytes < 8 || first.size() < 8) bad_safetensors("it is shorter than the 8 bytes of its header's length");
  std::uint64_t n = 0;
  for (std::size_t i = 8; i-- > 0;) n = n << 8U | static_cast<std::uint64_t>(first[i]);
  if (n > SafetensorsHeader::largest) {
    throw CheckpointError(CheckpointFailure::damaged,
                          concat({"zero: not a safetensors file, or one whose beginning is damaged: its first 8 bytes "
                                  "are to be the length of a header, at most ",
                                  SafetensorsHeader::largest, ", and not ", n}));
  }
  if (n > file_bytes - 8) bad_safetensors("its header is longer than the file");
  return n;
}

/// Reads the JSON of a header whose file has \p data_bytes behind it. Lenient as the reference implementation: white
/// space around the object, tensors in any order. \throws CheckpointError (damaged) for anything that is not exact.
[[nodiscard]] inline SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes) {
  Json const value = parse_json(json, 4);
  auto const* const object = value.get<Json::Object>();
  if (object == nullptr) bad_safetensors("its header is no object");
  SafetensorsHeader header;
  header.data_begin = 8 + json.size();
  for (auto const& [name, entry] : *object) {
    if (name == "__metadata__") {
      header.metadata = read_metadata(entry);
    } else {
      header.tensors.push_back(read_tensor_entry(name, entry));
    }
  }
  check_contiguous(header, data_bytes);
  return header;
}

/// Orders the tensors as the reference writer does (wider types first, then by name), so that each is aligned, and sets
/// their offsets. \throws CheckpointError for an unknown type, a size that overflows, and a name given twice.
inline void lay_out(SafetensorsHeader& header) {
  auto const order = [](TensorEntry const& tensor) {
    return std::tuple(~safetensors_bits(tensor.type), std::string_view(tensor.name));
  };
  std::sort(header.tensors.begin(), header.tensors.end(),
            [&](auto const& a, auto const& b) { return order(a) < order(b); });
  std::uint64_t end = 0;
  for (auto& tensor : header.tensors) {
    std::uint64_t const bytes = tensor_bytes(tensor);
    if (bytes > (std::numeric_limits<std::uint64_t>::max)() - end) bad_safetensors("its size overflows");
    tensor.begin = std::exchange(end, end + bytes);
    tensor.end = end;
  }
}

/// \throws CheckpointError (bad_request) for the name that the format keeps for itself.
inline void check_tensor_name(std::string_view name) {
  if (name != "__metadata__") return;
  throw CheckpointError(
      CheckpointFailure::bad_request,
      "zero: a parameter is named '__metadata__', which no tensor of a safetensors file may be: give it "
      "another name");
}

/// The bytes of a file up to its data, which starts at a multiple of 8, and sets `data_begin`. \p header must have been
/// laid out. \throws CheckpointError (bad_request) for names that are not UTF-8 or given twice, and too long a header.
[[nodiscard]] inline std::string to_bytes(SafetensorsHeader& header) {
  Json::Object object;
  auto const check_text = [](std::string_view text) {
    if (!is_utf8(text)) throw CheckpointError(CheckpointFailure::bad_request, "zero: a name is not UTF-8");
  };
  if (!header.metadata.empty()) {
    Json::Object metadata;
    for (auto const& [key, text] : header.metadata) {
      check_text(key);
      check_text(text);
      metadata.emplace_back(key, text);
    }
    object.emplace_back("__metadata__", std::move(metadata));
  }
  std::vector<std::string_view> names;
  for (auto const& tensor : header.tensors) {
    check_text(tensor.name);
    check_tensor_name(tensor.name);
    names.push_back(tensor.name);
    Json::Array const shape(tensor.shape.begin(), tensor.shape.end());
    object.emplace_back(tensor.name, Json::Object{{"dtype", tensor.type},
                                                  {"shape", shape},
                                                  {"data_offsets", Json::Array{tensor.begin, tensor.end}}});
  }
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
    throw CheckpointError(CheckpointFailure::bad_request, "zero: two tensors of one file have the same name");
  }
  std::string json = to_text(object);
  json.append((8 - json.size() % 8) % 8, ' ');
  if (json.size() > SafetensorsHeader::largest) {
    throw CheckpointError(CheckpointFailure::bad_request, "zero: a safetensors header would exceed 100,000,000 bytes");
  }
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> (8 * i));
  header.data_begin = 8 + json.size();
  return bytes + json;
}

}  // namespace zero::detail
