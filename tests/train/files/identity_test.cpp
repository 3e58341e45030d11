#include "train/files/identity.hpp"

#include "condenser/arch/blocks.hpp"
#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "train/marked_dataset.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

std::shared_ptr<const data::Dataset> pixels(std::vector<uint8_t> values, std::vector<int> labels, double mean = 0) {
  return data::make_image_dataset({1, 1, 1}, {"a", "b"}, {{mean}, {1.0}}, std::move(values), std::move(labels));
}

struct Fixture {
  arch::Spec spec = [] {
    arch::Builder b("flat", {1, 1, 1});
    b.add("fc", arch::Linear{.out = 2}, {b.input()});
    return b.finish();
  }();
  TrainOptions options;
  std::shared_ptr<const data::Dataset> data = pixels({1, 2}, {0, 1});

  Identity identity() const {
    return identity_of(
        {.spec = spec, .train = data, .validation = nullptr, .options = options, .folder = {}, .on_progress = {}});
  }
};

}  // namespace

TEST_CASE("whatever changes a data set changes its checksum", "[train]") {
  const std::string checksum = data_checksum(*pixels({1, 2, 3}, {0, 1, 1}));
  CHECK(checksum == data_checksum(*pixels({1, 2, 3}, {0, 1, 1})));
  CHECK(checksum != data_checksum(*pixels({1, 2, 4}, {0, 1, 1})));
  CHECK(checksum != data_checksum(*pixels({1, 2, 3}, {0, 1, 0})));
  CHECK(checksum != data_checksum(*pixels({1, 2}, {0, 1})));
  CHECK(checksum != data_checksum(*pixels({1, 2, 3}, {0, 1, 1}, 0.5)));
  const auto marked = [](std::vector<std::vector<int>> marks) {
    return data_checksum(testing::MarkedDataset({1, 1, 1}, 2, std::move(marks), {1, 2}));
  };
  CHECK(marked({{1, 0}, {1, 1}}) != marked({{1, 1}, {1, 1}}));
}

TEST_CASE("every option is part of the identity but those that only change speed and safety", "[train]") {
  Fixture f;
  const Identity before = f.identity();
  for (const char* key : {"lr", "optimizer", "augment.shift", "augment.crop_area", "distill.alpha", "resize.sizes",
                          "seed", "freeze", "patience", "spec_hash", "training data (checksum)"})
    CHECK(before.contains(key));
  f.options.threads = 3, f.options.loader_threads = 3, f.options.checkpoint_steps = 3;
  CHECK(f.identity() == before);
  f.options.lr = 0.25;
  CHECK(f.identity().at("lr") == "0.25");
  f.data = pixels({1, 3}, {0, 1});
  CHECK(f.identity().at("training data (checksum)") != before.at("training data (checksum)"));
}

TEST_CASE("files are part of the identity by their content", "[train]") {
  const testing::TemporaryFolder here("here"), there("there");
  Fixture f;
  for (const auto* folder : {&here, &there}) core::write_atomic(folder->path() / "weights.safetensors", "old");
  f.options.init = here.path() / "weights.safetensors";
  const Identity before = f.identity();
  f.options.init = there.path();
  CHECK(f.identity() == before);
  core::write_atomic(there.path() / "weights.safetensors", "new");
  CHECK(f.identity().at("init") != before.at("init"));
}

}  // namespace condenser::train
