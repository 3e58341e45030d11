// Identity of a run: the options by asking list_options itself, so that a new option is part of it without a word here.
#include "train/files/identity.hpp"

#include <algorithm>

#include "condenser/core/hash.hpp"
#include "condenser/core/text.hpp"
#include "train/files/transfer.hpp"

namespace condenser::train {
namespace {

template <class T>
void append(std::string& bytes, const T* values, size_t count) {
  bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

void append_labels(std::string& bytes, const data::Dataset& dataset) {
  std::vector<float> marks(dataset.multi_label() ? dataset.classes().size() : 0);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    bytes += std::to_string(dataset.label(i)) + " ";
    if (!marks.empty()) dataset.targets(i, marks);
    append(bytes, marks.data(), marks.size());
    bytes += std::filesystem::path(dataset.name(i)).filename().string() + "\n";
  }
}

void append_values(std::string& bytes, const data::Dataset& dataset) {
  constexpr int64_t kMost = int64_t{1} << 25;
  const int64_t elements = dataset.shape().elements(), size = dataset.size();
  const int64_t items = std::clamp<int64_t>(kMost / elements, 1, size);
  std::vector<float> values(static_cast<size_t>(elements));
  for (int64_t k = 0; k < items; ++k) {
    dataset.get(k * size / items, values);
    bytes += core::hash128({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}).hex();
  }
}

std::string validation_checksum(const FitRequest& r) {
  return r.validation_checksum.empty() ? data_checksum(*r.validation) : r.validation_checksum;
}

}  // namespace

std::string data_checksum(const data::Dataset& dataset) {
  const data::ItemShape shape = dataset.shape();
  std::string bytes = std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w) + "\n";
  for (const std::string& name : dataset.classes()) bytes += name + "\n";
  append(bytes, dataset.normalization().mean.data(), dataset.normalization().mean.size());
  append(bytes, dataset.normalization().std.data(), dataset.normalization().std.size());
  append_labels(bytes, dataset);
  append_values(bytes, dataset);
  return core::hash128(bytes).hex();
}

Identity identity_of(const FitRequest& r) {
  Identity identity{{"spec_hash", arch::hash(r.spec).hex()},
                    {"training data (checksum)", r.train_checksum.empty() ? data_checksum(*r.train) : r.train_checksum},
                    {"validation data (checksum)", r.validation ? validation_checksum(r) : "none"}};
  auto reader = core::config::Reader::empty();
  TrainOptions options = r.options;
  list_options(reader, options);
  for (const auto& [path, value, decides] : reader.settings())
    if (decides == core::config::Decides::Results) identity[path] = value;
  if (r.start) identity["start"] = core::hash128(arch::to_safetensors(*r.start)).hex();
  if (r.taught_by_start > 0) identity["taught by start"] = core::number(r.taught_by_start);
  if (r.ranges) identity["ranges"] = core::hash128(runtime::to_json(*r.ranges)).hex();
  // Files count by their content: they may lie elsewhere.
  if (!options.init.empty()) identity["init"] = core::sha256_file(weights_file(options.init));
  if (!options.distill.teacher.empty()) {
    identity["distill.teacher"] = core::sha256_file(weights_file(options.distill.teacher));
    identity["distill.spec"] = arch::hash(teacher_spec(options.distill, r.spec)).hex();
  }
  return identity;
}

}  // namespace condenser::train
