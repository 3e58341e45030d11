// A network that makes its input again, from training to the proof of its export, through the real binary.

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using condenser::tests::Finished;
using condenser::tests::run;
using condenser::tests::slurp;
using condenser::tests::TempFolder;

namespace {

std::string anomaly_run(const TempFolder& folder, const std::string& train = "",
                        const std::string& spec = "autoencoder_ad") {
  return folder.write("run.yaml",
                      "name: again\nseed: 3\nspec: " + spec +
                          "\nstages: [train, quantize, export, verify, report]\n"
                          "dataset: {card: " CONDENSER_SOURCE_DIR
                          "/datasets/digits, samples: 1200, normal: ['1']}\n"
                          "train: {loss: reconstruction, epochs: 3, batch_size: 32, threads: 1, optimizer: adamw, "
                          "lr: 0.002, metric: reconstruction_error, keep: best" +
                          train + "}\nquantize: {calibration_samples: 64}\nverify: {samples: 20}\n");
}

}  // namespace

TEST_CASE("an auto-encoder learns what is normal, and its int8 form tells it too", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = anomaly_run(folder);
  const Finished f = run({CONDENSER_BINARY, "run", file}, folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  const auto results = folder / "runs/again";
  const auto read = [&](const char* name) { return nlohmann::json::parse(slurp(results / name)); };
  const auto summary = read("summary.json");
  CHECK(summary["float_accuracy"].is_null());
  CHECK(summary["verified"] == true);
  const auto as_float = summary["float_reconstruction"], as_int8 = summary["int8_reconstruction"];
  CHECK(as_float["items"] == 2000);
  CHECK(as_float["auc_percent"] > 80);  // a 1 has the least ink; 99.9 when it is trained to the end
  CHECK(std::abs(as_float["auc_percent"].get<double>() - as_int8["auc_percent"].get<double>()) < 1);
  CHECK(as_int8["error"].get<double>() == Approx(as_float["error"].get<double>()).epsilon(0.05));
  CHECK(read("learned.json")["classes"] == nlohmann::json({"normal", "anomalous"}));
  CHECK(read("learned.json")["reconstructs"] == true);
  CHECK(read("train.json")["validation_reconstruction"]["error"] > 0);
  CHECK_THAT(slurp(results / "export/c99/model.h"), Catch::Contains("values of the input again"));

  const Finished eval = run({CONDENSER_BINARY, "eval", results.string(), "--format", "json"}, folder.path());
  REQUIRE(eval.code == 0);
  CHECK(nlohmann::json::parse(eval.out)["reconstruction"]["auc_percent"].get<double>() ==
        Approx(as_float["auc_percent"].get<double>()).epsilon(1e-3));  // LibTorch and the float executor
  CHECK_THAT(slurp(results / "eval/errors.csv"), Catch::Contains("anomalous"));
}

TEST_CASE("what cannot be made again is refused before anything is trained", "[pipeline]") {
  const TempFolder folder;
  const auto refusal = [&](const std::string& file, const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{CONDENSER_BINARY, "train", file};
    command.insert(command.end(), more.begin(), more.end());
    const Finished f = run(command, folder.path());
    CHECK(f.code == 2);
    return f.err;
  };
  CHECK_THAT(refusal(anomaly_run(folder), {"dataset.normal=[11]"}), Catch::Contains("11 is no class of the data"));
  CHECK_THAT(refusal(anomaly_run(folder), {"train.metric=accuracy"}),
             Catch::Contains("train.metric = accuracy") && Catch::Contains("train.loss = reconstruction"));
  CHECK_THAT(refusal(anomaly_run(folder, ", class_weights: [1, 2]")),
             Catch::Contains("train.class_weights") && Catch::Contains("train.loss = reconstruction"));
  CHECK_THAT(refusal(anomaly_run(folder), {"spec="}), Catch::Contains("classifiers"));
  const std::string heads = folder.write("heads.yaml",
                                         "condenser_spec: 1\nname: heads\ninput: [1, 28, 28]\nnodes:\n"
                                         "  - {name: c, op: conv2d, out: 8, kernel: 3}\n"
                                         "  - {block: classifier_head, classes: 10}\noutputs: [head, c]\n");
  CHECK_THAT(refusal(anomaly_run(folder), {"spec=" + heads}),
             Catch::Contains("2 outputs (fc, c)") && Catch::Contains("outputs"));
}
