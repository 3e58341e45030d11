// The files of a training run by their names.
#include "train/files/run_files.hpp"

namespace condenser::train {

RunFiles::RunFiles(std::filesystem::path folder, std::filesystem::path state, const nn::BlockLayout& layout,
                   Identity identity)
    : folder_(std::move(folder)), state_(std::move(state)), layout_(layout), identity_(std::move(identity)) {}

std::filesystem::path RunFiles::last_file() const {
  return on() ? folder_ / "checkpoints" / "last.safetensors" : state_;
}

std::optional<Checkpoint> RunFiles::open() {
  if (!saves()) return std::nullopt;
  std::optional<Checkpoint> checkpoint;
  const auto file = last_file();
  if (std::filesystem::exists(file)) checkpoint = load_checkpoint(file, layout_, identity_);
  if (on()) metrics_.emplace(folder_, checkpoint ? checkpoint->run.rows : 0);
  return checkpoint;
}

void RunFiles::save(const Checkpoint& checkpoint) {
  if (saves()) save_checkpoint(last_file(), layout_, identity_, checkpoint);
}

void RunFiles::row(int64_t epoch, const std::vector<std::pair<std::string, double>>& values) {
  if (metrics_) metrics_->row(epoch, values);
}

void RunFiles::best(const arch::Weights& weights) {
  if (on()) arch::save_weights(folder_ / "checkpoints" / "best.safetensors", weights);
}

}  // namespace condenser::train
