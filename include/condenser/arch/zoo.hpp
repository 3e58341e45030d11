#pragma once
// Reference networks by name, and published comparators of which only the numbers are known.

#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

// A network and what was published about it. Empty texts and absent values: not published, or not found.
struct ZooCard {
  std::string name;
  std::string family;                           // "DC-AC", "MobileNet", ...
  std::string about;                            // one line: what kind of network
  std::string task;                             // "image classification", "keyword spotting", ...
  std::string data;                             // data set of the published accuracy
  Shape input;                                  // default
  int classes = 1000;                           // default; width of the output
  std::optional<double> accuracy_percent;       // published, float; top-1
  std::optional<double> int8_accuracy_percent;  // published, int8; top-1
  std::string published_size;                   // parameters and multiply-accumulates as printed by others
  std::string claims;                           // published speed and other claims; not reproduced here
  std::string source;
  std::string unknown;  // what is not published
  Spec (*make)(Shape input, int classes) = nullptr;
};

const std::vector<ZooCard>& zoo();
const ZooCard& find_zoo(const std::string& name);  // throws ConfigError naming the nearest

// A comparator without a network here: its layers are unknown, or made of operators outside this design. Numbers are
// those of the source, in its rounding.
struct PublishedRow {
  std::string name;
  std::string task;
  std::string data;
  std::optional<Shape> input;
  std::optional<double> params_millions;
  std::optional<double> macs_millions;
  std::optional<double> sram_kb;
  std::optional<double> flash_kb;
  std::optional<double> accuracy_percent;  // float, top-1
  std::optional<double> int8_accuracy_percent;
  std::string claims;  // published speed
  std::string source;
};

const std::vector<PublishedRow>& published_rows();

}  // namespace condenser::arch
