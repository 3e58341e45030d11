#include "train/files/checkpoint.hpp"

#include <charconv>

#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

std::vector<float> random_block(int64_t n, uint64_t seed, const nn::BlockLayout& layout) {
  core::Rng rng(seed);
  std::vector<float> out(static_cast<size_t>(n), 0.0f);
  for (const auto& s : layout.segments)
    if (s.offset + s.size <= n)
      for (int64_t i = 0; i < s.size; ++i) out[static_cast<size_t>(s.offset + i)] = static_cast<float>(rng.normal());
  return out;
}

struct Fixture {
  nn::BlockLayout layout = nn::block_layout(testing::exemplar("network_tiny"));
  Identity identity{{"spec_hash", "abc"}, {"lr", "0.1"}};
  testing::TemporaryFolder folder{"checkpoint"};
  std::filesystem::path file = folder.path() / "last.safetensors";
  Checkpoint checkpoint;
  Fixture() {
    checkpoint.run.step = 123456789012;
    checkpoint.run.rows = 3;
    checkpoint.run.loss_sum = 0.1 + 0.2;
    checkpoint.run.correct = 17, checkpoint.run.seen = 20;
    checkpoint.run.seconds = 1.5;
    checkpoint.run.best_epoch = 2;
    checkpoint.values = random_block(layout.size, 1, layout);
    checkpoint.average = random_block(layout.size, 2, layout);
    checkpoint.best = random_block(layout.size, 5, layout);
    checkpoint.optimizer.steps = 77;
    checkpoint.optimizer.loss_scale = 32768, checkpoint.optimizer.finite_steps = 12;
    checkpoint.optimizer.first = random_block(layout.trainable_size, 3, layout);
    checkpoint.optimizer.second = random_block(layout.trainable_size, 4, layout);
  }
};

}  // namespace

TEST_CASE("a checkpoint comes back bit for bit", "[train]") {
  Fixture f;
  for (const bool all : {true, false}) {
    f.checkpoint.run.best_score = all ? 98.7654321 : -std::numeric_limits<double>::infinity();
    if (!all) f.checkpoint.average.clear(), f.checkpoint.best.clear(), f.checkpoint.optimizer.second.clear();
    save_checkpoint(f.file, f.layout, f.identity, f.checkpoint);
    const Checkpoint back = load_checkpoint(f.file, f.layout, f.identity);
    CHECK(back.run == f.checkpoint.run);
    CHECK(back.values == f.checkpoint.values);
    CHECK(back.average == f.checkpoint.average);
    CHECK(back.best == f.checkpoint.best);
    CHECK(back.optimizer.steps == f.checkpoint.optimizer.steps);
    CHECK(back.optimizer.loss_scale == f.checkpoint.optimizer.loss_scale);
    CHECK(back.optimizer.finite_steps == f.checkpoint.optimizer.finite_steps);
    CHECK(back.optimizer.first == f.checkpoint.optimizer.first);
    CHECK(back.optimizer.second == f.checkpoint.optimizer.second);
  }
}

TEST_CASE("a checkpoint of another run is refused by name", "[train]") {
  Fixture f;
  save_checkpoint(f.file, f.layout, f.identity, f.checkpoint);
  CHECK_THROWS_AS(load_checkpoint(f.file, f.layout, {{"spec_hash", "other"}}), core::ConfigError);
  CHECK_THROWS_WITH(load_checkpoint(f.file, f.layout, {{"lr", "0.2"}}),
                    Catch::Contains("lr = 0.1") && Catch::Contains("lr = 0.2"));
  CHECK_THROWS_WITH(load_checkpoint(f.file, f.layout, {{"new_option", "1"}}), Catch::Contains("new_option"));
}

TEST_CASE("truncated and altered checkpoints are refused", "[train]") {
  Fixture f;
  save_checkpoint(f.file, f.layout, f.identity, f.checkpoint);
  const std::string bytes = core::read_file(f.file);
  for (const size_t keep : {size_t{0}, size_t{5}, size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    core::write_atomic(f.file, std::string_view(bytes).substr(0, keep));
    INFO(keep << " of " << bytes.size() << " bytes");
    CHECK_THROWS_WITH(load_checkpoint(f.file, f.layout, f.identity), Catch::Contains("last.safetensors"));
  }
  std::string altered = bytes;
  altered[altered.size() - 10] ^= 1;  // one bit of a tensor
  core::write_atomic(f.file, altered);
  CHECK_THROWS_WITH(load_checkpoint(f.file, f.layout, f.identity), Catch::Contains("checksum"));
  arch::save_weights(f.file, arch::random_weights(testing::exemplar("network_tiny"), 1));
  CHECK_THROWS_WITH(load_checkpoint(f.file, f.layout, f.identity), Catch::Contains("no checkpoint"));
}

TEST_CASE("numbers as text come back exactly", "[train]") {
  for (const double v : {0.0, 0.1, 1.0 / 3, 1e300, 5e-324, -2.5}) {
    const std::string text = number_text(v);
    double back = 1;
    std::from_chars(text.data(), text.data() + text.size(), back);
    CHECK(back == v);
  }
}

}  // namespace condenser::train
