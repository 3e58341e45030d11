// Tensors, the parameters of a Spec, random weights, and the safetensors reader against hostile bytes.
#include "condenser/arch/weights.hpp"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;

// input -> conv g2 with bias -> batch norm -> global pool -> linear
Spec small_spec() {
  Conv2d conv{.out = 6, .kernel = {3, 2}, .stride = square(1), .pad = {}, .groups = 2, .bias = true};
  return {"small",
          {4, 5, 5},
          {{"input", Input{}, {}},
           {"c", conv, {0}},
           {"c_bn", BatchNorm{}, {1}},
           {"gap", GlobalAvgPool{}, {2}},
           {"fc", Linear{.out = 3}, {3}}}};
}

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

Weights mixed_weights() {
  Weights weights;
  weights.tensors["a.weight"] = make_f32({2, 3}, std::vector<float>{1, -2, 3.5F, 0, 5, 6});
  weights.tensors["b.q"] = make_tensor(DType::I8, {3});
  weights.tensors["b.q"].i8()[1] = -7;
  weights.tensors["c"] = make_tensor(DType::I64, {});
  weights.tensors["c"].i64()[0] = -1234567890123;
  weights.tensors["d"] = make_tensor(DType::I32, {1, 2});
  weights.tensors["d"].i32()[1] = 77;
  weights.tensors["e"] = make_tensor(DType::U8, {0, 4});
  weights.metadata = {{"spec", "0123"}, {"quote\"", "line\n"}};
  return weights;
}

}  // namespace

TEST_CASE("parameters lists what each operator needs, in node order", "[arch]") {
  const auto all = parameters(small_spec());
  std::string text;
  for (const auto& p : all) {
    text += p.name + (p.trainable ? "" : "*");
    for (int64_t n : p.shape) text += " " + std::to_string(n);
    text += "; ";
  }
  REQUIRE(text ==
          "c.weight 6 2 3 2; c.bias 6; c_bn.weight 6; c_bn.bias 6; c_bn.running_mean* 6; c_bn.running_var* 6; "
          "fc.weight 3 6; fc.bias 3; ");
  // Second answer: the trainable ones add up to the analysis.
  int64_t count = 0;
  for (const auto& p : all) {
    if (p.trainable) count += make_tensor(DType::F32, p.shape).elements();
  }
  REQUIRE(count == analyze(small_spec()).params);
}

TEST_CASE("random weights fit, depend on the seed and on nothing else in the network", "[arch]") {
  Spec spec = small_spec();
  const Weights weights = random_weights(spec, 1);
  check_weights(spec, weights);
  REQUIRE(weights == random_weights(spec, 1));
  REQUIRE_FALSE(weights == random_weights(spec, 2));
  spec.nodes[4].op = Linear{.out = 7};
  const Weights other = random_weights(spec, 1);
  REQUIRE(other.at("c.weight") == weights.at("c.weight"));

  REQUIRE(weights.at("c_bn.weight").f32()[5] == 1);
  REQUIRE(weights.at("c_bn.running_var").f32()[5] == 1);
  REQUIRE(weights.at("c_bn.running_mean").f32()[5] == 0);
  REQUIRE(weights.at("c_bn.bias").f32()[5] == 0);
  REQUIRE(weights.at("fc.bias").f32()[2] == 0);

  // He: variance 2 / fan-in. 64 * 3 * 3 * 16 values: the sample deviation is within 3 % with great certainty.
  const Conv2d conv{.out = 64, .kernel = square(3), .stride = square(1), .pad = pad_all(1)};
  const Weights wide = random_weights({"wide", {16, 4, 4}, {{"input", Input{}, {}}, {"c", conv, {0}}}}, 3);
  double sum = 0, squares = 0;
  for (float v : wide.at("c.weight").f32()) sum += v, squares += double{v} * v;
  const double n = 64 * 144;
  REQUIRE(std::sqrt(squares / n) == Approx(std::sqrt(2.0 / 144)).epsilon(0.03));
  REQUIRE(std::abs(sum / n) < 0.01);
}

TEST_CASE("check_weights names what is wrong", "[arch]") {
  const Spec spec = small_spec();
  const Weights good = random_weights(spec, 1);
  Weights bad = good;
  bad.tensors["c.weight"] = make_tensor(DType::F32, {6, 2, 3, 3});
  REQUIRE(message([&] { check_weights(spec, bad); }) ==
          "weights: c.weight has shape [6, 2, 3, 3]; the network expects [6, 2, 3, 2]");
  bad = good;
  bad.tensors.erase("fc.bias");
  REQUIRE(message([&] { check_weights(spec, bad); }) == "weights: fc.bias is missing; the network expects [3]");
  bad.tensors["fc.bia"] = good.at("fc.bias");
  REQUIRE(message([&] { check_weights(spec, bad); }) ==
          "weights: fc.bias is missing; the network expects [3]; nearest is fc.bia");
  bad = good;
  bad.tensors["fc.bia"] = good.at("fc.bias");
  REQUIRE(message([&] { check_weights(spec, bad); }) ==
          "weights: fc.bia is unexpected; network small has no such parameter; nearest is fc.bias");
  bad = good;
  bad.tensors["fc.bias"] = make_tensor(DType::I32, {3});
  REQUIRE(message([&] { check_weights(spec, bad); }) == "weights: fc.bias has type I32; the network expects F32");
  bad = good;
  bad.tensors["fc.bias"].data.pop_back();
  REQUIRE(message([&] { check_weights(spec, bad); }) == "weights: fc.bias holds 11 bytes; the network expects [3]");
}

TEST_CASE("tensors refuse other types, wrong counts and impossible shapes", "[arch]") {
  Tensor tensor = make_tensor(DType::I8, {4});
  REQUIRE(message([&] { (void)tensor.f32(); }) == "tensor has type I8; expected F32");
  REQUIRE_THROWS_AS(make_f32({2, 2}, std::vector<float>{1, 2, 3}), core::Error);
  REQUIRE_THROWS_AS(make_tensor(DType::F32, {-1}), core::Error);
  REQUIRE_THROWS_AS(make_tensor(DType::F32, {int64_t{1} << 40, int64_t{1} << 40}), core::Error);
  REQUIRE(message([&] { (void)random_weights(small_spec(), 1).at("c.wieght"); }) ==
          "weights: no tensor c.wieght; nearest is c.weight");
}

TEST_CASE("safetensors: bytes follow the public format", "[arch]") {
  Weights weights;
  weights.tensors["b"] = make_f32({1}, std::vector<float>{1.0F});
  weights.tensors["a"] = make_tensor(DType::I8, {2});
  const std::string header =
      R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[2],"data_offsets":[4,6]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  const std::string data("\0\0\x80\x3f\0\0", 6);
  REQUIRE(to_safetensors(weights) == file_of(header + padding, data));
  REQUIRE(to_safetensors({}) == file_of("{}      ", ""));
}

TEST_CASE("safetensors: round trip through memory and a file", "[arch]") {
  const Weights weights = mixed_weights();
  const std::string bytes = to_safetensors(weights);
  REQUIRE(from_safetensors(bytes, "memory") == weights);
  REQUIRE(to_safetensors(from_safetensors(bytes, "memory")) == bytes);
  const auto path = std::filesystem::temp_directory_path() / "condenser_weights_test.safetensors";
  save_weights(path, weights);
  REQUIRE(load_weights(path) == weights);
  std::filesystem::remove(path);
  REQUIRE_THROWS_AS(load_weights(path), core::Error);
}

TEST_CASE("safetensors: refusals", "[arch]") {
  const auto refusal = [](const std::string& header, const std::string& data = "12345678") {
    return message([&] { (void)from_safetensors(file_of(header, data), "f"); });
  };
  const auto contains = [](const std::string& part) { return Catch::Matchers::Contains(part); };
  // The control: it reads.
  REQUIRE(refusal(R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}})").empty());

  REQUIRE_THAT(refusal(R"({"a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}})"),
               contains("f: tensor \"a\" has type \"BF16\"; expected F32, I8, I32, I64 or U8"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,9]}})"), contains("truncated?"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[-2],"data_offsets":[0,8]}})"), contains("shape is not"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[2.0],"data_offsets":[0,8]}})"), contains("shape is not"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[99999999999999999999],"data_offsets":[0,8]}})"),
               contains("shape is not"));
  // 2^62 elements of four bytes overflow to zero.
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[4611686018427387904],"data_offsets":[0,0]}})", ""),
               contains("does not fill"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", ""),
               contains("does not fill"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[3],"data_offsets":[0,8]}})"), contains("does not fill"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[8,0]}})"), contains("begin <= end"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})"), contains("cover 4 of 8"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[1],"data_offsets":[4,8]}})"), contains("holes"));
  REQUIRE_THAT(
      refusal(
          R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I32","shape":[1],"data_offsets":[4,8]}})"),
      contains("overlap"));
  REQUIRE_THAT(
      refusal(
          R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}})"),
      contains("\"a\" appears twice"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","dtype":"I8","shape":[2],"data_offsets":[0,8]}})"),
               contains("\"dtype\" appears twice"));
  REQUIRE_THAT(refusal(R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8],"x":1}})"), contains("nothing else"));
  REQUIRE_THAT(refusal(R"({"a":5})"), contains("nothing else"));
  REQUIRE_THAT(refusal(R"({"__metadata__":{"a":5}})", ""), contains("not a text"));
  REQUIRE_THAT(refusal(R"({"__metadata__":[]})", ""), contains("map of texts"));
  REQUIRE_THAT(refusal("{\"\xff\":{\"dtype\":\"I8\",\"shape\":[8],\"data_offsets\":[0,8]}}"), contains("UTF-8"));
  REQUIRE_THAT(refusal("{\"a\":" + std::string(100000, '[')), contains("too deep"));
  REQUIRE_THAT(refusal("[]"), contains("begin with"));
  REQUIRE_THAT(refusal("{} x"), contains("JSON"));
  REQUIRE_THAT(refusal(""), contains("begin with"));
  REQUIRE_THAT(message([] { (void)from_safetensors("1234567", "f"); }), contains("truncated"));
  REQUIRE_THAT(message([] { (void)from_safetensors(std::string(8, '\xff'), "f"); }), contains("at most 100 MB"));
  REQUIRE_THAT(message([] { (void)from_safetensors(std::string("\x09\0\0\0\0\0\0\0{}", 10), "f"); }),
               contains("2 are there"));

  Weights weights;
  weights.tensors["\xff"] = make_tensor(DType::I8, {1});
  REQUIRE_THROWS_AS(to_safetensors(weights), core::Error);
  weights.tensors = {{"__metadata__", make_tensor(DType::I8, {1})}};
  REQUIRE_THROWS_AS(to_safetensors(weights), core::Error);
  weights.tensors = {{"a", Tensor{DType::F32, {2}, std::vector<std::byte>(7)}}};
  REQUIRE_THROWS_AS(to_safetensors(weights), core::Error);
}

TEST_CASE("safetensors: damaged files give an error or a consistent result, nothing else", "[arch]") {
  const std::string good = to_safetensors(mixed_weights());
  core::Rng rng(20240101);
  int read = 0, refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = good;
    for (uint64_t edits = 1 + rng.below(3); edits > 0 && !bytes.empty(); --edits) {
      const size_t at = rng.below(bytes.size());
      switch (rng.below(5)) {
        case 0: bytes[at] = static_cast<char>(rng.below(256)); break;
        case 1: bytes[at] = "0123456789,:[]{}\"-e "[rng.below(20)]; break;
        case 2: bytes.resize(at); break;
        case 3: bytes.insert(at, 1, static_cast<char>(rng.below(256))); break;
        default: bytes.erase(at, 1 + rng.below(4)); break;
      }
    }
    // Copied to a block of exactly its size, so that a sanitizer sees a read past the end.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    try {
      const Weights weights = from_safetensors({exact.data(), exact.size()}, "f");
      REQUIRE(from_safetensors(to_safetensors(weights), "again") == weights);
      ++read;
    } catch (const core::Error&) {
      ++refused;
    }
  }
  REQUIRE(read > 100);
  REQUIRE(refused > 1000);
}

TEST_CASE("a flipped bit anywhere in a file of weights is refused", "[arch][weights]") {
  const tests::TempFolder folder;
  Weights weights;
  weights.tensors["conv.weight"] = make_f32({4, 2, 3, 3}, std::vector<float>(72, 0.25f));
  weights.tensors["conv.bias"] = make_f32({4}, std::vector<float>(4, -1.0f));
  weights.metadata = {{"spec_hash", "0123456789abcdef"}, {"note", "a text"}};
  const auto file = folder / "w.safetensors";
  const std::string checksum = save_weights(file, weights);
  CHECK(load_weights_file(file).checksum == checksum);
  CHECK(load_weights(file) == weights);
  const std::string bytes = tests::slurp(file);
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      folder.write("w.safetensors", flipped);
      bool refused = false;
      std::string found;
      try {
        found = load_weights_file(file).checksum;
      } catch (const core::Error&) {
        refused = true;
      }
      // In the name of the checksum's own key: a file that says it has none, which those who demand one refuse.
      CHECK((refused || found.empty()));
    }
}

TEST_CASE("files of other programs have no checksum and are read", "[arch][weights]") {
  const tests::TempFolder folder;
  Weights weights;
  weights.tensors["a"] = make_f32({2}, std::vector<float>{1, 2});
  folder.write("foreign.safetensors", to_safetensors(weights));
  CHECK(load_weights_file(folder / "foreign.safetensors").checksum.empty());
  CHECK(load_weights(folder / "foreign.safetensors") == weights);
}

// A reader whose time grows with the square of the number of tensors needs more than ten minutes for this one, which
// ends the test by its time limit.
TEST_CASE("many small tensors are read in time that grows with their number", "[arch][weights]") {
  constexpr int kCount = 400'000;
  std::string header = "{";
  for (int i = 0; i < kCount; ++i)
    header += (i ? ",\"t" : "\"t") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  header += "}";
  std::string bytes(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, sizeof length);
  CHECK(from_safetensors(bytes + header, "many").tensors.size() == kCount);
}
