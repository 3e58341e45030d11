// Checkpoint <-> safetensors. Tensors are named "model/<node>.<param>", "average/...", "best/...", "first/...",
// "second/..."; scalars and the identity of the run stand in the metadata.
#include "train/files/checkpoint.hpp"

#include <array>
#include <charconv>

#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"

namespace condenser::train {
namespace {

constexpr const char* kFormat = "condenser-checkpoint-2";
constexpr const char* kIdentityPrefix = "identity.";

[[noreturn]] void damaged(const std::filesystem::path& file, const std::string& what) {
  throw core::Error(file.string() + ": " + what + "; remove the file to start the training again");
}

void put(arch::Weights& file, const std::string& part, const nn::BlockLayout& layout, std::span<const float> block) {
  for (auto& [name, tensor] : nn::copy_from_block(layout, block).tensors) file.tensors[part + "/" + name] = tensor;
}

std::vector<float> take(const std::filesystem::path& path, const arch::Weights& file, const std::string& part,
                        const nn::BlockLayout& layout, int64_t size) {
  std::vector<float> block(static_cast<size_t>(size), 0.0f);
  for (const auto& segment : layout.segments) {
    if (segment.offset + segment.size > size) continue;
    const std::string name = part + "/" + segment.name;
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) damaged(path, "tensor " + name + " is missing");
    if (found->second.dtype != arch::DType::F32 || found->second.shape != segment.shape)
      damaged(path, "tensor " + name + " has another shape or type than the network");
    const auto values = found->second.f32();
    std::copy(values.begin(), values.end(), block.begin() + segment.offset);
  }
  return block;
}

template <class T>
void read_number(const std::filesystem::path& path, const arch::Weights& file, const std::string& key, T& value) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) damaged(path, "metadata lacks " + key);
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) damaged(path, key + " = " + text + " is no number");
}

template <class T>
const char* read_number_at(const std::filesystem::path& path, const char* begin, const char* end, T& value) {
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc()) damaged(path, "metadata curve is no list of numbers");
  return stop == end ? stop : stop + 1;
}

std::string curve_text(const std::vector<EpochScore>& curve) {
  std::string text;
  for (const EpochScore& e : curve)
    text += (text.empty() ? "" : " ") + number_text(e.accuracy) + " " + number_text(e.loss);
  return text;
}

std::vector<EpochScore> read_curve(const std::filesystem::path& path, const arch::Weights& file) {
  std::vector<EpochScore> curve;
  const auto found = file.metadata.find("curve");
  if (found == file.metadata.end()) return curve;
  const char* at = found->second.data();
  const char* const end = at + found->second.size();
  while (at != end) {
    EpochScore e;
    at = read_number_at(path, at, end, e.accuracy);
    at = read_number_at(path, at, end, e.loss);
    curve.push_back(e);
  }
  return curve;
}

std::string text_of(double value) { return number_text(value); }
std::string text_of(int64_t value) { return std::to_string(value); }

// One place lists the numbers of a RunState with their names.
template <class State, class Use>
void each_number(State& run, const Use& use) {
  use("step", run.step);
  use("rows", run.rows);
  use("loss_sum", run.loss_sum);
  use("correct", run.correct);
  use("seen", run.seen);
  use("seconds", run.seconds);
  use("best_score", run.best_score);
  use("best_epoch", run.best_epoch);
}

// Over the file's bytes without the checksum itself.
std::string checksum(arch::Weights file) {
  file.metadata.erase("checksum");
  return core::sha256_hex(arch::to_safetensors(file));
}

constexpr const char* kOtherKernels =
    ", or limit the kernels by the environment variable CONDENSER_KERNELS; train.portable = true gives the same bits "
    "everywhere";

void check_identity(const std::filesystem::path& path, const arch::Weights& file, const Identity& identity) {
  for (const auto& [key, expected] : identity) {
    const auto found = file.metadata.find(kIdentityPrefix + key);
    const std::string has = found == file.metadata.end() ? "nothing" : found->second;
    if (has != expected)
      throw core::ConfigError(path.string() + ": made with " + key + " = " + has + "; this run has " + key + " = " +
                              expected + "; train in another folder or afresh" +
                              (key == "kernels" ? kOtherKernels : ""));
  }
}

}  // namespace

std::string number_text(double value) {
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

void save_checkpoint(const std::filesystem::path& path, const nn::BlockLayout& layout, const Identity& identity,
                     const Checkpoint& c) {
  arch::Weights file;
  put(file, "model", layout, c.values);
  if (!c.average.empty()) put(file, "average", layout, c.average);
  if (!c.best.empty()) put(file, "best", layout, c.best);
  put(file, "first", layout, c.optimizer.first);
  if (!c.optimizer.second.empty()) put(file, "second", layout, c.optimizer.second);
  for (const auto& [key, value] : identity) file.metadata[kIdentityPrefix + key] = value;
  file.metadata["format"] = kFormat;
  file.metadata["optimizer_steps"] = std::to_string(c.optimizer.steps);
  file.metadata["loss_scale"] = number_text(c.optimizer.loss_scale);
  file.metadata["finite_steps"] = std::to_string(c.optimizer.finite_steps);
  each_number(c.run, [&](const char* key, const auto& value) { file.metadata[key] = text_of(value); });
  if (!c.run.curve.empty()) file.metadata["curve"] = curve_text(c.run.curve);
  file.metadata["checksum"] = checksum(file);
  arch::save_weights(path, file);
}

Checkpoint load_checkpoint(const std::filesystem::path& path, const nn::BlockLayout& layout, const Identity& identity) {
  arch::Weights file;
  try {
    file = arch::load_weights(path);
  } catch (const core::Error& error) {
    damaged(path, std::string("checkpoint cannot be read (") + error.what() + ")");
  }
  if (const auto found = file.metadata.find("format"); found == file.metadata.end() || found->second != kFormat)
    damaged(path, std::string("is no checkpoint of this version (expected format ") + kFormat + ")");
  if (const auto found = file.metadata.find("checksum");
      found == file.metadata.end() || found->second != checksum(file))
    damaged(path, "checksum does not fit the content");
  check_identity(path, file, identity);

  Checkpoint c;
  read_number(path, file, "optimizer_steps", c.optimizer.steps);
  read_number(path, file, "loss_scale", c.optimizer.loss_scale);
  read_number(path, file, "finite_steps", c.optimizer.finite_steps);
  each_number(c.run, [&](const char* key, auto& value) { read_number(path, file, key, value); });
  c.run.curve = read_curve(path, file);
  const std::string any = layout.segments.empty() ? std::string() : layout.segments.front().name;
  c.values = take(path, file, "model", layout, layout.size);
  if (file.tensors.contains("average/" + any)) c.average = take(path, file, "average", layout, layout.size);
  if (file.tensors.contains("best/" + any)) c.best = take(path, file, "best", layout, layout.size);
  c.optimizer.first = take(path, file, "first", layout, layout.trainable_size);
  if (file.tensors.contains("second/" + any))
    c.optimizer.second = take(path, file, "second", layout, layout.trainable_size);
  return c;
}

}  // namespace condenser::train
