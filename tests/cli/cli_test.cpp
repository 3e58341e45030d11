// The binary as a user meets it, without LibTorch: help, describe, bad input, exit codes. What trains is in
// tests/pipeline.

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/process.hpp"

using condenser::tests::Finished;
using condenser::tests::run_condenser;
using condenser::tests::TempFolder;
using nlohmann::json;

namespace {

constexpr const char* kRun = "experiments/digits_quickstart/run.yaml";

int lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("help and version answer on stdout", "[cli]") {
  const Finished help = run_condenser({"--help"});
  CHECK(help.code == 0);
  for (const char* verb :
       {"run", "search", "train", "eval", "quantize", "export", "verify", "report", "describe", "doctor"})
    CHECK(contains(help.out, verb));
  const Finished version = run_condenser({"--version"});
  CHECK(version.code == 0);
  CHECK(contains(version.out, "LibTorch"));
}

TEST_CASE("the binary itself does not link LibTorch", "[cli]") {
  const Finished libraries = condenser::tests::run({"ldd", CONDENSER_BINARY}, "/");
  CHECK(libraries.code == 0);
  CHECK(!contains(libraries.out, "torch"));
}

TEST_CASE("the certificate names what breaks a rule, and its exit code says so", "[cli]") {
  for (const char* keeps : {"dcac_sca_325mf", "attendnext_figure", "dcac_659mf_guess"}) {
    const Finished run = run_condenser({"rules", keeps, "--format", "json"});
    CHECK(run.code == 0);
    CHECK(json::parse(run.out)["holds"] == true);
  }
  const auto violations = [](const char* network, const char* rule) {
    const Finished run = run_condenser({"rules", network, "--format", "json"});
    CHECK(run.code == 3);
    const json certificate = json::parse(run.out);
    std::vector<std::string> nodes;
    for (const auto& r : certificate["rules"])
      if (r["rule"] == rule)
        for (const auto& v : r["violations"]) nodes.push_back(v["node"]);
    return nodes;
  };
  CHECK(violations("mobilenet_v2", "antialiased_downsampling") ==
        std::vector<std::string>{"s2b1_dw", "s3b1_dw", "s4b1_dw", "s6b1_dw"});
  CHECK(violations("mobilenet_v2", "no_strided_pointwise").empty());
  CHECK(violations("resnet50", "no_strided_pointwise") == std::vector<std::string>{"s2b1_sc", "s3b1_sc", "s4b1_sc"});
  CHECK(contains(run_condenser({"rules", "resnet50"}).out, "not every structural rule holds"));
}

TEST_CASE("describe shows memory and NetScore of a published network", "[cli]") {
  const json resnet8 = json::parse(run_condenser({"describe", "resnet8", "--format", "json"}).out);
  CHECK(resnet8["arena_bytes"] <= 51 * 1024);
  CHECK(resnet8["arena_bytes"] >= resnet8["live_bytes"]);
  const json v2 = json::parse(run_condenser({"describe", "mobilenet_v2", "--format", "json"}).out);
  CHECK(v2["netscore"].get<double>() == Approx(74.02).margin(0.01));
  const json other =
      json::parse(run_condenser({"describe", "mobilenet_v2", "--classes", "10", "--format", "json"}).out);
  CHECK(other["netscore"].is_null());  // the published accuracy is not this network's
}

TEST_CASE("bench gate prints how many candidates a second pass the gate", "[cli][slow]") {
  const Finished run = run_condenser({"bench", "gate", "--format", "json"});
  CHECK(run.code == 0);
  const json result = json::parse(run.out);
  CHECK(result["specs"] == 2000);
  CHECK(result["passed"] == 648);  // a faster gate decides as a slower one did; a new rule or space changes this number
  WARN("gate: " << result["specs_per_second"].get<double>() << " specs/s, " << result["nodes_per_spec"].get<double>()
                << " nodes each");
}

TEST_CASE("bench search counts evaluations on a table", "[cli]") {
  const TempFolder folder;
  folder.write("t.csv", "depth,width,score\n1,a,50\n1,b,60\n2,a,70\n2,b,65\n");
  const std::string yaml = folder.write("t.yaml", "file: t.csv\ndecisions: [depth, width]\nreward: score\n");
  const Finished run = run_condenser({"bench", "search", "--table", yaml, "--seeds", "3", "--format", "json"});
  CHECK(run.code == 0);
  const json result = json::parse(run.out);
  CHECK(result["hit_share"] == 1.0);
  CHECK(result["median_evaluations"] <= 4.0);
  CHECK(result["best_reward"] == 70.0);
  CHECK(result["cases"].size() == 1);
  CHECK(run_condenser({"bench", "search"}).code == 2);
  CHECK(run_condenser({"bench", "search", "--table", (folder / "absent.csv").string()}).code != 0);
}

TEST_CASE("bench train wants a network", "[cli]") {
  CHECK(run_condenser({"bench", "train"}).code == 2);
  CHECK(run_condenser({"bench", "train", "no_such_network"}).code == 2);
}

TEST_CASE("describe prints the published counts", "[cli]") {
  const json one = json::parse(run_condenser({"describe", "dcac_sca_325mf", "--classes", "1", "--format", "json"}).out);
  CHECK(one["params"] == 1632345);
  CHECK(one["macs"] == 318952524);
  const json thousand =
      json::parse(run_condenser({"describe", "dcac_sca_325mf", "--classes", "1000", "--format", "json"}).out);
  CHECK(thousand["params"] == 2376600);
  CHECK(thousand["macs"] == 319695780);
  for (const auto& rule : one["rules"]) CHECK(rule["holds"] == true);
  const Finished text = run_condenser({"describe", "dcac_sca_325mf", "--classes", "1"});
  CHECK(contains(text.out, "1,632,345"));
  for (const char* format : {"markdown", "csv", "mermaid", "dot"})
    CHECK(run_condenser({"describe", "dcac_sca_325mf", "--format", format}).code == 0);
}

TEST_CASE("zoo lists, filters and stays narrow", "[cli]") {
  const auto list = [](std::vector<std::string> filter) {
    filter.insert(filter.begin(), {"zoo", "--format", "json"});
    return json::parse(run_condenser(filter).out);
  };
  const json all = list({});
  CHECK(all.size() >= 22);
  for (const auto& row : all) CHECK(row["int8_arena_bytes"] > 0);
  const json words = list({"--task", "keyword", "--input", "1x49x10"});
  REQUIRE(words.size() >= 1);
  for (const auto& row : words) CHECK(row["task"] == "keyword spotting");
  const json small = list({"--max-params", "3e6", "--max-macs", "200e6", "--input", "3x224x224"});
  REQUIRE(small.size() >= 2);
  CHECK(small.size() < all.size());
  for (const auto& row : small) {
    CHECK(row["params"] <= 3'000'000);
    CHECK(row["macs"] <= 200'000'000);
    CHECK(row["input"] == "3x224x224");
  }
  for (const auto& row : list({"--published", "--max-params", "1e6"})) CHECK(row["params"] <= 1'000'000);
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"zoo"}, {"zoo", "--published"}}) {
    std::istringstream text(run_condenser(arguments).out);
    for (std::string line; std::getline(text, line);) CHECK(line.size() <= 140);
  }
}

TEST_CASE("compare counts without measuring", "[cli]") {
  const auto compare = [](const std::string& format) {
    const Finished f = run_condenser({"compare", "dcac_sca_325mf", "mobilenet_v2", "mcunet-in3", "ds_cnn", "--input",
                                      "3x224x224", "--classes", "1000", "--seconds", "0", "--format", format});
    INFO(f.err);
    CHECK(f.code == 0);
    return f.out;
  };
  const json j = json::parse(compare("json"));
  CHECK(!j["hardware"]["cpu"].get<std::string>().empty());
  CHECK(j["claims"].size() == 1);
  const json& rows = j["rows"];
  REQUIRE(rows.size() == 4);
  CHECK(rows[0]["params"] == 2376600);
  CHECK(rows[0]["netscore"].is_null());  // no accuracy is published
  CHECK(rows[1]["macs"] == 300774272);
  CHECK(rows[1]["netscore"] == Approx(74.02).margin(0.01));
  CHECK(rows[2]["params"] == 740000);
  CHECK(contains(rows[2]["note"], "published numbers only, 293 kB SRAM"));
  CHECK(rows[3]["input"] == "1x49x10");
  CHECK(contains(rows[3]["note"], "its own input"));
  for (const auto& row : rows) CHECK(row["ratio_to_first"].is_null());
  const std::string csv = compare("csv"), text = compare("text"), markdown = compare("markdown");
  CHECK(lines(csv) == 5);
  CHECK(contains(csv, "ratio_to_first"));
  for (const std::string& page : {text, markdown})
    for (const char* part : {"dcac_sca_325mf", "NetScore", "Machine: ", "--seconds 0", "nothing here is tuned"})
      CHECK(contains(page, part));
}

TEST_CASE("compare leaves out accuracies that belong to another input or number of classes", "[cli]") {
  const auto row = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"compare", "mobilenet_v2", "--seconds", "0", "--format", "json"});
    return json::parse(run_condenser(options).out)["rows"][0];
  };
  CHECK(row({})["accuracy_percent"] == 71.8);
  CHECK(row({"--input", "3x96x96"})["accuracy_percent"].is_null());
  CHECK(row({"--classes", "10"})["netscore"].is_null());
}

TEST_CASE("compare leaves the same measurement in three files", "[cli]") {
  const TempFolder folder;
  const Finished f =
      run_condenser({"compare", "mobilenet_v2", "--seconds", "0", "--format", "csv", "-o", "made/here"}, folder.path());
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK(condenser::tests::slurp(folder / "made/here/compare.csv") == f.out);
  CHECK(json::parse(condenser::tests::slurp(folder / "made/here/compare.json"))["rows"].size() == 1);
  CHECK(contains(condenser::tests::slurp(folder / "made/here/compare.md"), "| mobilenet_v2"));
}

TEST_CASE("compare keeps a file's own input", "[cli]") {
  const Finished f = run_condenser({"compare", "experiments/digits_quickstart/ds_cnn.yaml", "--input", "3x224x224",
                                    "--seconds", "0", "--format", "json"});
  INFO(f.err);
  const json row = json::parse(f.out)["rows"][0];
  CHECK(row["input"] == "1x28x28");
  CHECK(contains(row["note"], "its file"));
}

TEST_CASE("usage errors say what to try and exit with 2", "[cli]") {
  struct Case {
    std::vector<std::string> arguments;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{
           {{"serch", kRun}, "did you mean search"},
           {{"run"}, "which run"},
           {{"run", "no/such.yaml"}, "no such file"},
           {{"run", kRun, "--dry-run", "train.epoks=3"}, "epochs"},
           {{"run", kRun, "--dry-run", "train.epochs=0"}, "train.epochs = 0; expected 1 or more"},
           {{"run", kRun, "--dry-run", "train.epochs"}, "train.epochs"},
           {{"run", kRun, "--dry-run", "train.optimizer=sdg"}, "sgd"},
           {{"run", kRun, "--dry-run", "dataset.card=datasets/nowhere"}, "datasets/nowhere"},
           {{"run", kRun, "--dry-run", "search.generator=oracle"}, "evolution"},
           {{"run", kRun, "--dry-run", "probe.supernet.epochs=3"}, "no score in probe.scores needs shared weights"},
           {{"run", kRun, "--dry-run", "probe.scores=[inherited]", "search.trial_seconds=9"}, "search.trial_seconds"},
           {{"describe", "dcac_sca_325"}, "dcac_sca_325mf"},
           {{"describe", "dcac_sca_325mf", "--input", "3x224"}, "3x224x224"},
           {{"describe", "autoencoder_ad", "--classes", "10"}, "10 outputs for 640 inputs"},
           {{"compare", "mobilenet_v2", "mobilenet_v4", "--seconds", "0"}, "did you mean mobilenet_v"},
           {{"compare", "mcunet-in33"}, "did you mean mcunet_in3"},
           {{"compare", "no/such.yaml"}, "no such file"},
           {{"compare", "mobilenet_v2", "--input", "224"}, "3x224x224"},
           {{"zoo", "--task", "poetry"}, "keyword spotting"},
           {{"zoo", "--input", "96"}, "3x224x224"},
       }) {
    const Finished f = run_condenser(c.arguments);
    INFO(c.arguments.back() << ": " << f.err);
    CHECK(f.code == 2);
    CHECK(contains(f.err, c.says));
    CHECK(lines(f.err) == 1);
    CHECK(f.out.empty());
  }
}

TEST_CASE("errors in a run file name file and line", "[cli]") {
  const TempFolder folder;
  const auto says = [&](const std::string& yaml) {
    const std::string file = folder.write("run.yaml", yaml);
    const Finished f = run_condenser({"run", file, "--dry-run"});
    INFO(f.err);
    CHECK(f.code == 2);
    CHECK(lines(f.err) == 1);
    return f.err;
  };
  const std::string card = std::string("dataset:\n  card: ") + CONDENSER_SOURCE_DIR + "/datasets/digits\n";
  CHECK(contains(says("name: x\n" + card + "trian:\n  epochs: 3\n"), "run.yaml:4"));
  CHECK(contains(says("name: x\n" + card + "train:\n  epochs: many\n"), "run.yaml:5"));
  CHECK(contains(says("name: [x\n"), "run.yaml:"));
  CHECK(contains(says("name: ../x\n" + card + "space: {space: columns}\n"), "name"));
  CHECK(contains(says("condenser: 2\nname: x\n" + card), "run.yaml:1"));
}

TEST_CASE("a dry run writes nothing and answers in JSON too", "[cli]") {
  const TempFolder folder;
  const std::string file = std::string(CONDENSER_SOURCE_DIR) + "/" + kRun;
  const Finished f = run_condenser({"run", file, "--dry-run", "--format", "json"}, folder.path());
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK(json::parse(f.out).size() == 6);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("--help-config lists every option with its range", "[cli]") {
  const Finished f = run_condenser({"train", "--help-config", "--format", "json"});
  CHECK(f.code == 0);
  const json options = json::parse(f.out);
  std::vector<std::string> names;
  for (const auto& o : options) names.push_back(o["option"]);
  for (const char* name : {"train.epochs", "train.lr", "search.trials", "gate.max_arena_bytes", "dataset.card",
                           "quantize.observer", "probe.samples"})
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
}

TEST_CASE("a network of one's own is read, described and checked", "[cli]") {
  const TempFolder folder;
  const std::string good = folder.write(
      "net.yaml",
      "condenser_spec: 1\nname: mine\ninput: [1, 28, 28]\nnodes:\n"
      "  - {name: stem, block: conv_bn_act, out: 16, stride: 2}\n"
      "  - {name: s1, block: column_stage, channels: 16, depth: 2, columns: 4, attention: true, stride: 2}\n"
      "  - {name: head, block: classifier_head, classes: 10}\n");
  const Finished f = run_condenser({"describe", good, "--format", "json"});
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK(json::parse(f.out)["params"] > 1000);
  const std::string bad = folder.write("bad.yaml",
                                       "condenser_spec: 1\nname: mine\ninput: [1, 28, 28]\nnodes:\n"
                                       "  - {name: stem, op: conv2d, out: 16, kernel: 3, groups: 3}\n");
  const Finished refused = run_condenser({"describe", bad});
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "bad.yaml:5"));
  CHECK(contains(refused.err, "stem"));
}

TEST_CASE("a stage without its predecessor's files says which verb makes them", "[cli]") {
  const TempFolder folder;
  const std::string file = std::string(CONDENSER_SOURCE_DIR) + "/" + kRun;
  for (const char* verb : {"train", "quantize", "export", "verify", "report"}) {
    const Finished f = run_condenser({verb, file}, folder.path());
    CHECK(f.code == 1);
    CHECK(contains(f.err, "condenser search"));
  }
}

TEST_CASE("draw writes SVG, Mermaid and DOT", "[cli]") {
  const TempFolder folder;
  const Finished svg = run_condenser({"draw", "resnet8"});
  CHECK(svg.code == 0);
  CHECK(svg.out.starts_with("<svg "));
  const std::string file = (folder / "net.svg").string();
  CHECK(run_condenser({"draw", "resnet8", "--format", "svg", "-o", file}).code == 0);
  CHECK(condenser::tests::slurp(file) == svg.out);
  CHECK(run_condenser({"draw", "resnet8", "--colour", "memory"}).out != svg.out);
  CHECK(contains(run_condenser({"draw", "resnet8", "--classes", "7"}).out, ">7</text>"));
  CHECK(run_condenser({"draw", "resnet8", "--format", "mermaid"}).out ==
        run_condenser({"describe", "resnet8", "--format", "mermaid"}).out);
  CHECK(run_condenser({"draw", "resnet8", "--format", "dot"}).out.starts_with("digraph"));
  CHECK(run_condenser({"draw", "resnet8", "--colour", "red"}).code == 2);
  CHECK(run_condenser({"draw", "no_such_net"}).code == 2);
  CHECK(run_condenser({"draw", "experiments/digits_quickstart/ds_cnn.yaml"}).code == 0);
}

TEST_CASE("several processes are refused where they make no sense", "[cli][ranks]") {
  const TempFolder folder;
  const Finished idle = run_condenser({"run", "experiments/digits_quickstart/run.yaml", "--runs",
                                       folder.path().string(), "--nproc", "2", "stages=[search]"});
  CHECK(idle.code == 2);
  CHECK_THAT(idle.err, Catch::Contains("do not train"));
  const Finished twice =
      condenser::tests::run({"env", "RANK=0", "WORLD_SIZE=2", "LOCAL_RANK=0", "LOCAL_WORLD_SIZE=2", "MASTER_ADDR=x",
                             "MASTER_PORT=1", CONDENSER_BINARY, "train", "experiments/digits_quickstart/run.yaml",
                             "--runs", folder.path().string(), "--nproc", "2"},
                            CONDENSER_SOURCE_DIR);
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, Catch::Contains("torchrun started 2 processes"));
  CHECK(std::filesystem::is_empty(folder.path()));
}
