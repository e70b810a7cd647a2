// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What comes in: each tensor that an engine cannot use is a sentence, and goes back to its producer once all the same.

#include "hand_made.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dlpack_import_test {

using dlpack_test::error_of;
using dlpack_test::Unversioned;
using dlpack_test::Versioned;
using zero::ConfigurationError;
using zero::dlpack::ImportedTensor;
namespace abi = zero::dlpack::abi;

namespace {

constexpr auto largest = (std::numeric_limits<std::int64_t>::max)();

/// What the import of a tensor says that \p spoil has changed; and its deleter was called once.
std::string refusal(std::function<void(Versioned&)> const& spoil, zero::dlpack::Device place = zero::dlpack::host()) {
  Versioned made;
  spoil(made);
  auto said = error_of<ConfigurationError>([&] { ImportedTensor const tensor(&made.managed, place); });
  CHECK(made.ended == 1);
  return said;
}

void set_shape(Versioned& made, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides = {}) {
  made.shape = std::move(shape);
  made.strides = std::move(strides);
  made.tensor().ndim = static_cast<std::int32_t>(made.shape.size());
  made.tensor().shape = made.shape.data();
  made.tensor().strides = made.strides.empty() ? nullptr : made.strides.data();
}

/// A tensor of another shape, which is taken.
ImportedTensor taken(Versioned& made, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides = {}) {
  set_shape(made, std::move(shape), std::move(strides));
  return ImportedTensor(&made.managed);
}

}  // namespace

TEST_CASE("a tensor is used in place and ended once") {
  Versioned made;
  {
    ImportedTensor tensor(&made.managed);
    CHECK(tensor.shape() == std::vector<std::size_t>{2, 3});
    CHECK(tensor.type() == zero::ElementType::fp32);
    CHECK(tensor.device() == zero::dlpack::host());
    CHECK_FALSE(tensor.read_only());
    CHECK(tensor.adopt().data == made.numbers);
    CHECK(tensor.adopt().count == 6);
    CHECK(tensor.initial()[5] == 5.0F);
    ImportedTensor moved(std::move(tensor));
    CHECK(moved.values<float>().data() == made.numbers);
    CHECK(made.ended == 0);
    moved.release();
    CHECK(made.ended == 1);
    CHECK(error_of<ConfigurationError>([&] { (void)moved.adopt(); }) ==
          "zero::dlpack: the tensor was given back to its producer: import it again");
  }
  CHECK(made.ended == 1);
}

TEST_CASE("a tensor of DLPack 0.x is used in place and ended once") {
  Unversioned made;
  { CHECK(ImportedTensor(&made.managed).adopt().data == made.numbers); }
  CHECK(made.ended == 1);
  made.ended = 0;
  made.tensor().dtype.lanes = 4;
  CHECK(error_of<ConfigurationError>([&] { ImportedTensor const tensor(&made.managed); }) != "nothing");
  CHECK(made.ended == 1);
}

TEST_CASE("a tensor without a deleter is taken") {
  Versioned made;
  made.managed.deleter = nullptr;
  CHECK(ImportedTensor(&made.managed).size() == 6);
  CHECK(made.ended == 0);
}

TEST_CASE("half precision comes in by its type") {
  Versioned made;
  made.tensor().dtype = {abi::TypeCode::floating, 16, 1};
  CHECK(ImportedTensor(&made.managed).adopt().type == zero::ElementType::fp16);
  made.tensor().dtype = {abi::TypeCode::bfloat, 16, 1};
  ImportedTensor const tensor(&made.managed);
  CHECK(tensor.adopt().type == zero::ElementType::bf16);
  CHECK(tensor.values<zero::bfloat16>().size() == 6);
  CHECK(error_of<ConfigurationError>([&] { (void)tensor.initial(); }) ==
        "zero::dlpack: the tensor holds bf16, not fp32: ask for the type that it has");
}

TEST_CASE("another minor version is taken, another major one is not read") {
  Versioned made;
  made.managed.version.minor_number = 99;
  made.managed.flags = std::uint64_t{1} << 40U;  // of a later minor version
  CHECK(ImportedTensor(&made.managed).size() == 6);
  CHECK(refusal([](Versioned& m) {
          m.managed.version = {2, 1};
          m.tensor().ndim = -7;
        }) ==
        "zero::dlpack: the tensor is of DLPack 2.1, and this library reads 1.x: ask its producer for that, as in "
        "max_version=(1, 0)");
}

TEST_CASE("a null pointer is no tensor") {
  CHECK(error_of<ConfigurationError>([] {
          ImportedTensor const tensor(static_cast<abi::ManagedTensorVersioned*>(nullptr));
        }) == "zero::dlpack: the tensor is a null pointer: pass what the capsule holds");
}

TEST_CASE("other types are refused by name of what they are") {
  CHECK(refusal([](Versioned& m) { m.tensor().dtype.bits = 64; }) ==
        "zero::dlpack: the tensor has elements of type code 2, 64 bits and 1 lane: pass float of 32 or 16 bits (code "
        "2) or bfloat of 16 (code 4), with 1 lane");
  auto const type = [](int code, int bits, int lanes) {
    return refusal([=](Versioned& m) {
      m.tensor().dtype = {static_cast<abi::TypeCode>(code), static_cast<std::uint8_t>(bits),
                          static_cast<std::uint16_t>(lanes)};
    });
  };
  CHECK(type(0, 32, 1).find("type code 0, 32 bits") != std::string::npos);
  CHECK(type(4, 32, 1).find("type code 4, 32 bits") != std::string::npos);
  CHECK(type(2, 32, 2).find("and 2 lanes") != std::string::npos);
  CHECK(type(2, 32, 0).find("and 0 lanes") != std::string::npos);
  CHECK(type(10, 8, 1).find("type code 10, 8 bits") != std::string::npos);
}

TEST_CASE("another device is refused by its name") {
  using zero::dlpack::cuda;
  auto const in = [](zero::dlpack::Device device, zero::dlpack::Device place) {
    return refusal([=](Versioned& m) { m.tensor().device = device; }, place);
  };
  auto const host = zero::dlpack::host();
  CHECK(in(cuda(1), host) ==
        "zero::dlpack: the tensor is in CUDA device 1 (kDLCUDA), and the engine in host memory (kDLCPU): move one to "
        "the other");
  CHECK(in(cuda(1), cuda(0)).find("CUDA device 1 (kDLCUDA), and the engine in CUDA device 0") != std::string::npos);
  CHECK(in(host, cuda(0)).find("is in host memory (kDLCPU)") != std::string::npos);
  CHECK(in({abi::DeviceKind::cpu, 1}, host).find("kDLCPU with the device number 1") != std::string::npos);
  CHECK(in(zero::dlpack::cuda_host(), cuda(0)).find("pinned host memory") != std::string::npos);
  CHECK(in(zero::dlpack::cuda_managed(), host).find("managed memory") != std::string::npos);
  CHECK(in({static_cast<abi::DeviceKind>(10), 0}, host).find("a device of kind 10") != std::string::npos);
}

TEST_CASE("pinned memory is the host's, and managed memory a GPU's") {
  Versioned made;
  made.tensor().device = {abi::DeviceKind::cuda_host, 1};
  ImportedTensor const pinned(&made.managed);
  CHECK(pinned.initial().size() == 6);
  Versioned other;
  other.tensor().device = zero::dlpack::cuda_managed();
  ImportedTensor const managed(&other.managed, zero::dlpack::cuda(3));
  CHECK(managed.adopt().data == other.numbers);
  CHECK(error_of<ConfigurationError>([&] { (void)managed.initial(); }) ==
        "zero::dlpack: initial values are read on the host, and the tensor is in managed memory (kDLCUDAManaged): copy "
        "it to the host first");
}

TEST_CASE("shapes that are none are refused") {
  CHECK(refusal([](Versioned& m) { m.tensor().ndim = -1; }) ==
        "zero::dlpack: the tensor has a negative number of dimensions: it is not a valid tensor");
  CHECK(refusal([](Versioned& m) { m.tensor().shape = nullptr; }) ==
        "zero::dlpack: the tensor has dimensions, and its shape is a null pointer: it is not valid");
  CHECK(refusal([](Versioned& m) {
          set_shape(m, {2, -3});
        }) == "zero::dlpack: dimension 1 of the tensor is -3: sizes are not negative");
  CHECK(refusal([](Versioned& m) {
          set_shape(m, {0, -3});
        }) == "zero::dlpack: dimension 1 of the tensor is -3: sizes are not negative");
  CHECK(refusal([](Versioned& m) {
          set_shape(m, {std::int64_t{1} << 40, std::int64_t{1} << 30});
        }) == "zero::dlpack: the sizes of the tensor overflow at dimension 1, which is 1073741824: correct them");
  CHECK(refusal([](Versioned& m) { set_shape(m, {largest}); }).find("overflow at dimension 0") != std::string::npos);
}

TEST_CASE("a tensor that is not row-major is refused") {
  CHECK(refusal([](Versioned& m) {
          set_shape(m, {2, 3}, {1, 2});
        }) ==
        "zero::dlpack: dimension 1 of the tensor has the stride 2, and row-major order needs 1: pass a contiguous "
        "tensor");
  CHECK(refusal([](Versioned& m) { set_shape(m, {2, 3}, {4, 1}); }).find("dimension 0") != std::string::npos);
  CHECK(refusal([](Versioned& m) { set_shape(m, {6}, {0}); }).find("the stride 0") != std::string::npos);
  CHECK(refusal([](Versioned& m) { set_shape(m, {6}, {-1}); }).find("the stride -1") != std::string::npos);
}

TEST_CASE("strides that mean nothing are not looked at") {
  Versioned made;
  CHECK(taken(made, {2, 3}).adopt().count == 6);
  CHECK(taken(made, {1, 6, 1}, {99, 1, -5}).adopt().count == 6);
  CHECK(taken(made, {}).adopt().count == 1);
  made.tensor().shape = nullptr;
  CHECK(ImportedTensor(&made.managed).shape().empty());
  made.tensor().data = nullptr;
  auto const empty = taken(made, {4, 0, largest}, {9, 9, 9});
  CHECK(empty.size() == 0);
  CHECK(empty.values<float>().empty());
  CHECK(empty.shape().size() == 3);
  CHECK(error_of<ConfigurationError>([&] { (void)empty.adopt(); }) ==
        "zero::dlpack: the tensor has no elements: leave it out, as a parameter has some");
}

TEST_CASE("memory that is not there, or not aligned, is refused") {
  CHECK(refusal([](Versioned& m) { m.tensor().data = nullptr; }) ==
        "zero::dlpack: the tensor has elements at a null pointer: allocate its memory first");
  CHECK(refusal([](Versioned& m) { m.tensor().byte_offset = 2; }) ==
        "zero::dlpack: the tensor's first element is not aligned to its size: align it to 4 bytes");
  CHECK(refusal([](Versioned& m) { m.tensor().byte_offset = ~std::uint64_t{15}; }) ==
        "zero::dlpack: the tensor begins 18446744073709551600 bytes behind its data, which no address does: correct "
        "byte_offset");
  Versioned made;
  made.tensor().byte_offset = 8;
  CHECK(taken(made, {4}).values<float>()[0] == 2.0F);  // no more alignment than an element's
}

TEST_CASE("what may not be written, or is a copy, is read and not adopted") {
  Versioned made;
  made.managed.flags = abi::flag_read_only;
  ImportedTensor const fixed(&made.managed);
  CHECK(fixed.read_only());
  CHECK(fixed.initial().size() == 6);
  CHECK(error_of<ConfigurationError>([&] { (void)fixed.adopt(); }) ==
        "zero::dlpack: the tensor is read-only, and the engine writes to what it adopts: pass one that may be written, "
        "or its values as ParameterSpec::initial");
  Versioned other;
  other.managed.flags = abi::flag_is_copied;
  ImportedTensor const copy(&other.managed);
  CHECK(copy.is_copied());
  CHECK(copy.initial().size() == 6);
  CHECK(error_of<ConfigurationError>([&] { (void)copy.adopt(); }) ==
        "zero::dlpack: the tensor is a copy, so that what the engine writes would not reach its producer's: ask for "
        "the tensor itself, as in copy=False");
}

}  // namespace dlpack_import_test
