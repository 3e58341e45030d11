#include "train/files/transfer.hpp"

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/spec_io.hpp"
#include "support/catch.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

arch::Spec net(int width, int classes) {
  arch::Builder b("net", {1, 8, 8});
  arch::classifier_head(b, arch::conv_bn_act(b, b.input(), "stem", {.out = width}), classes);
  return b.finish();
}

}  // namespace

TEST_CASE("weights are taken over, another head stays as it is", "[train]") {
  const arch::Spec ten = net(4, 10), three = net(4, 3);
  arch::Weights source = arch::random_weights(ten, 1);
  source.tensors["extra.weight"] = arch::make_f32({1}, std::vector<float>{1});
  const arch::Weights before = arch::random_weights(three, 2);
  arch::Weights weights = before;
  const Transfer done = transfer(three, source, "old.safetensors", weights);
  CHECK(weights.at("stem.weight") == source.at("stem.weight"));
  CHECK(weights.at("stem_bn.running_var") == source.at("stem_bn.running_var"));
  CHECK(weights.at("fc.weight") == before.at("fc.weight"));
  CHECK(done.loaded.size() == 5);
  CHECK(done.fresh == std::vector<std::string>{"fc.weight [3, 4]", "fc.bias [3]"});
  CHECK(done.unused == std::vector<std::string>{"extra.weight [1]"});

  weights = arch::random_weights(ten, 2);
  CHECK(transfer(ten, source, "old.safetensors", weights).fresh.empty());
  CHECK(weights.at("fc.weight") == source.at("fc.weight"));
}

TEST_CASE("tensors of other shape or name before the head are refused", "[train]") {
  const arch::Spec spec = net(4, 3);
  arch::Weights weights = arch::random_weights(spec, 1);
  CHECK_THROWS_WITH(transfer(spec, arch::random_weights(net(5, 3), 1), "wide.safetensors", weights),
                    Catch::Contains("wide.safetensors") && Catch::Contains("stem.weight [5, 1, 3, 3]") &&
                        Catch::Contains("stem.weight [4, 1, 3, 3]"));
  arch::Weights lacking = arch::random_weights(spec, 1);
  lacking.tensors.erase("stem_bn.bias");
  CHECK_THROWS_WITH(transfer(spec, lacking, "part.safetensors", weights), Catch::Contains("lacks stem_bn.bias"));
}

TEST_CASE("a teacher comes from a run, or from weights and a network", "[train]") {
  const testing::TemporaryFolder folder("teacher");
  const arch::Spec student = net(2, 3), teacher = net(8, 3);
  const arch::Weights weights = arch::random_weights(teacher, 1);
  arch::save_weights(folder.path() / "weights.safetensors", weights);
  CHECK_THROWS_WITH(load_teacher({.teacher = folder.path()}, student), Catch::Contains("winner.arch.json"));
  arch::write_spec(folder.path() / "winner.arch.json", teacher);
  CHECK(load_teacher({.teacher = folder.path()}, student).weights == weights);
  const auto file = folder.path() / "weights.safetensors", spec = folder.path() / "winner.arch.json";
  CHECK(arch::hash(load_teacher({.teacher = file, .spec = spec.string()}, student).spec) == arch::hash(teacher));
  CHECK_THROWS_WITH(load_teacher({.teacher = folder.path()}, net(2, 4)), Catch::Contains("teacher"));
  CHECK(teacher_spec({.teacher = file, .spec = "resnet8"}, student).input == student.input);
}

}  // namespace condenser::train
