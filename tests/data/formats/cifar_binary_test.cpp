// CIFAR's binary version: records from several files, sizes and labels.
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

Card cifar_card() {
  Card card;
  card.file = "card.yaml";
  card.format = "cifar_binary";
  card.shape = {3, 1, 2};
  card.classes = {"plane", "car"};
  card.splits["train"] = {{"a.bin", ""}};
  return card;
}

const std::string kTwo("\0RrGgBb\1QqFfAa", 14);
const std::string kOne("\1abcdef", 7);

}  // namespace

TEST_CASE("records of all files follow each other", "[data]") {
  TempFolder folder;
  const RawImages raw = read_cifar_binary(cifar_card(), {folder.write("a.bin", kTwo), folder.write("b.bin", kOne)});
  CHECK(raw.labels == std::vector<int>{0, 1, 1});
  CHECK(std::string(raw.pixels.begin(), raw.pixels.end()) == "RrGgBbQqFfAaabcdef");
}

TEST_CASE("CIFAR-100 has two labels, and the card says which counts", "[data]") {
  TempFolder folder;
  Card card = cifar_card();
  card.format = "cifar100_binary";
  card.classes = {"a", "b", "c"};
  const auto file = folder.write("a.bin", std::string("\1\2RrGgBb\0\1QqFfAa", 16));
  CHECK(read_cifar_binary(card, {file}).labels == std::vector<int>{2, 1});
  card.labels = "coarse";
  const RawImages raw = read_cifar_binary(card, {file});
  CHECK(raw.labels == std::vector<int>{1, 0});
  CHECK(std::string(raw.pixels.begin(), raw.pixels.end()) == "RrGgBbQqFfAa");
  folder.write("a.bin", std::string(15, '\0'));
  CHECK(contains(error_of([&] { read_cifar_binary(card, {file}); }), "expected a multiple of 8 (two label bytes"));
}

TEST_CASE("CIFAR errors say file, found and expected", "[data]") {
  TempFolder folder;
  const auto error_with = [&](const std::string& bytes) {
    const auto file = folder.write("a.bin", bytes);
    return error_of([&] { read_cifar_binary(cifar_card(), {file}); });
  };
  CHECK(contains(error_with(kTwo.substr(0, 13)), "a.bin: 13 bytes = 1 records and 6 bytes; expected a multiple of 7"));
  CHECK(contains(error_with(""), "a.bin: 0 bytes"));
  CHECK(contains(error_with(kTwo + std::string("\2abcdef")), "a.bin: item 2 has label 2; expected 0..1"));
}
