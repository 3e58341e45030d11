// `condenser study` as people meet it. Nothing trains: what is examined is told.

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using tests::Finished;
namespace fs = std::filesystem;

namespace {

struct Study {
  tests::TempFolder folder;
  std::string run = folder.write(
      "run.yaml", "name: s\ndataset: {card: " CONDENSER_SOURCE_DIR "/datasets/digits}\nspace: " CONDENSER_SOURCE_DIR
                  "/search/spaces/columns_digits.yaml\ngate: {rules: [no_strided_pointwise], max_params: 20000}\n"
                  "search: {generator: random, trials: 3, objective: val_accuracy}\n");
  std::string place = (folder.path() / "runs" / "s").string();

  Finished study(std::vector<std::string> words) const {
    words.insert(words.begin(), "study");
    return tests::run_condenser(words, folder.path());
  }
  json answer(std::vector<std::string> words, int code = 0) const {
    const Finished f = study(std::move(words));
    INFO(f.err);
    CHECK(f.code == code);
    return json::parse(f.out);
  }
  // Asks and tells until the budget is spent.
  void fill() const {
    for (int i = 0; i < 3; ++i) {
      const json asked = answer({"ask", i == 0 ? run : place, "--worker", "ana"});
      answer({"tell", place, asked["trial"].dump(), "--worker", "ana", "--metrics",
              json{{"val_accuracy", 80 + i}}.dump()});
    }
  }
};

}  // namespace

TEST_CASE("a study that is only asked and told, from its run file to its replay", "[cli]") {
  const Study s;
  CHECK_THAT(s.study({"show", s.run}).err, Contains("holds no study yet"));
  CHECK_FALSE(fs::exists(s.folder / "runs"));
  s.fill();
  const json over = s.answer({"ask", s.place});
  CHECK(over["state"] == "over");
  CHECK_THAT(over["why"].get<std::string>(), Contains("search.trials = 3"));
  const json show = s.answer({"show", s.place, "--format", "json"});
  CHECK(show["state"] == "finished");
  CHECK(show["feasible"] == 3);
  CHECK(show["workers"]["outside: ana"]["finished"] == 3);
  const json best = s.answer({"best", s.place, "--format", "json"});
  REQUIRE(best.size() == 1);
  CHECK(best[0]["val_accuracy_percent"] == 82);
  CHECK(s.study({"front", s.place}).code == 0);
  CHECK_THAT(s.study({"list"}).out, Contains("finished") && Contains("3 of 3"));
  const json replay = s.answer({"replay", s.place, "--format", "json"});
  CHECK(replay["identical"] == true);
  CHECK(replay["compared"] == show["trials"]);
  // Another seed proposes others: what was compared can differ.
  std::string config = tests::slurp(fs::path(s.place) / "config.resolved.yaml");
  const size_t seed = config.find("seed: 1\n", config.find("\nsearch:\n"));
  REQUIRE(seed != std::string::npos);
  config.replace(seed, 8, "seed: 2\n");
  s.folder.write("runs/s/config.resolved.yaml", config);
  CHECK(s.answer({"replay", s.place, "--format", "json"}, 4)["identical"] == false);
}

TEST_CASE("why tells of a kept, a refused and an outside trial on one page", "[cli]") {
  const Study s;
  const json asked = s.answer({"ask", s.run, "--worker", "ana"});
  CHECK(asked["spec"]["nodes"].size() > 10);
  json own = asked["choices"];
  own["stem_width"] = own["stem_width"] == 8 ? 16 : 8;
  const json mine = s.answer({"ask", s.place, "--worker", "bob", "--genotype", own.dump()});
  s.answer({"tell", s.place, asked["trial"].dump(), "--worker", "ana", "--metrics", "{\"val_accuracy\": 91.2}"});
  const std::string kept = s.study({"why", s.place, asked["trial"].dump()}).out;
  CHECK_THAT(kept, Contains("kept: the best of 1") && Contains("91.20 %") && Contains("max_params"));
  const Finished outside = s.study({"why", s.place, mine["trial"].dump()});
  CHECK_THAT(outside.out, Contains("bob (from outside)"));
  for (const char* name : {"s1_width", "s2_width", "s3_width"}) own[name] = 32;
  for (const char* name : {"s1_columns", "s2_columns"}) own[name] = 2;
  own["s3_columns"] = 1;
  for (const char* name : {"s1_depth", "s2_depth", "s3_depth"}) own[name] = 2;
  const json big = s.answer({"ask", s.place, "--worker", "bob", "--genotype", own.dump()});
  REQUIRE(big["state"] == "refused");
  CHECK(big["refused_by"][0]["rule"] == "max_params");
  CHECK(big["refused_by"][0]["limit"] == "at most 20,000 parameters");
  const json why = s.answer({"why", s.place, big["trial"].dump(), "--format", "json"});
  CHECK(why["fate"]["kind"] == "refused");
  CHECK(s.study({"why", s.place, "99"}).code == 2);
  CHECK(s.study({"why", s.place, "x"}).code == 2);
}

TEST_CASE("names and texts of others are shown and never obeyed", "[cli]") {
  const Study s;
  const std::string name = "x'); DROP TABLE trials; -- <script>";
  const json asked = s.answer({"ask", s.run, "--worker", name});
  s.answer({"tell", s.place, asked["trial"].dump(), "--worker", name, "--failed", "bad\n\x1b[31mred"});
  const Finished why = s.study({"why", s.place, asked["trial"].dump()});
  CHECK(why.code == 0);
  CHECK(why.out.find('\x1b') == std::string::npos);
  CHECK_THAT(why.out, Contains("DROP TABLE") && Contains("\\x1b[31mred"));
  CHECK(s.study({"ask", s.place, "--worker", "a\nb"}).code == 2);
}

TEST_CASE("an export goes into another study and back", "[cli]") {
  const Study s, other;
  s.fill();
  for (const char* format : {"csv", "json"}) {
    const std::string file = (s.folder.path() / ("all." + std::string(format))).string();
    CHECK(s.study({"export", s.place, format, "-o", file}).code == 0);
    const json imported = other.answer({"import", other.run, file, "--format", "json"});
    CHECK(imported["feasible"] == (format == std::string("csv") ? 3 : 0));
    CHECK(imported["known_already"].size() == (format == std::string("csv") ? 0 : 3));
  }
  CHECK(other.answer({"best", other.place, "--format", "json"})[0]["val_accuracy_percent"] == 82);
  const json show = other.answer({"show", other.place, "--format", "json"});
  CHECK(show["imported"] == 3);
  CHECK(show["examinations_spent"] == 0);
  const std::string bad = other.folder.write("bad.csv", "stem_widht,val_accuracy\n8,50\n");
  const Finished refused = other.study({"import", other.place, bad});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("bad.csv:1: stem_widht") && Contains("did you mean stem_width?"));
  CHECK(other.study({"import", other.place, (other.folder.path() / "absent").string()}).code != 0);
}

TEST_CASE("a study is stopped, goes on, and is cleared when it is finished", "[cli]") {
  const Study s;
  s.answer({"ask", s.run, "--worker", "ana"});
  CHECK(s.answer({"stop", s.place, "--format", "json"})["changed"] == true);
  CHECK(s.answer({"stop", s.place, "--format", "json"})["changed"] == false);
  CHECK(s.answer({"ask", s.place, "--worker", "bob"})["state"] != "running");
  CHECK(s.answer({"resume", s.place, "--format", "json"})["changed"] == true);
  CHECK(s.answer({"ask", s.place, "--worker", "bob"})["state"] == "wait");  // for ana

  const Study finished;
  finished.folder.write("runs/s/paused/x/checkpoint", std::string(1000, 'x'));
  s.folder.write("runs/s/paused/x/checkpoint", "x");
  CHECK(s.answer({"prune", s.place, "--format", "json"})["bytes"] == 0);
  CHECK(fs::exists(fs::path(s.place) / "paused"));
  finished.fill();
  CHECK(finished.answer({"prune", finished.place, "--dry-run", "--format", "json"})["bytes"] == 1000);
  CHECK(fs::exists(fs::path(finished.place) / "paused"));
  CHECK_THAT(finished.study({"prune", finished.place}).out, Contains("freed 1,000 bytes"));
  CHECK_FALSE(fs::exists(fs::path(finished.place) / "paused"));
}

TEST_CASE("options belong to words, and what is wrong is one line", "[cli]") {
  const Study s;
  s.answer({"ask", s.run, "--worker", "ana"});
  const auto says = [&](std::vector<std::string> words, const char* answer) {
    INFO(words[0]);
    const Finished f = s.study(std::move(words));
    CHECK(f.code == 2);
    CHECK_THAT(f.err, Contains(answer));
    CHECK(std::count(f.err.begin(), f.err.end(), '\n') == 1);
    CHECK(f.out.empty());
  };
  says({"show", s.place, "--lease", "3"}, "--lease belongs to ask");
  says({"show"}, "which study?");
  says({"why", s.place}, "its TRIAL is missing");
  says({"show", s.place, "--format", "csv"}, "expected text or json");
  says({"export", s.place, "xml"}, "expected csv or json");
  says({"list", s.place, "x"}, "one argument too many");
  says({"show", "nowhere"}, "no such file or folder");
  says({"tell", s.place, "0", "--worker", "ana"}, "expected one of --metrics");
  says({"tell", s.place, "0", "--worker", "ana", "--metrics", "nothing"}, "neither JSON nor a file");
  says({"ask", s.place, "--genotype", "{\"stem_width\": 9}"}, "--genotype");
  says({"show", "mysql://x/y"}, "mysql");
}

TEST_CASE("a study's page is written from its folder, its file and without its configuration", "[cli]") {
  const Study s;
  s.fill();
  const json written = s.answer({"report", s.place, "--format", "json"});
  CHECK(written[0]["file"] == s.place + "/study.html");
  const std::string page = tests::slurp(s.place + "/study.html");
  CHECK(page.size() == written[0]["bytes"].get<size_t>());
  CHECK_THAT(page, Contains("<section id=\"trials\">") && Contains("stem_width") && Contains("class=\"net\""));
  fs::copy_file(s.place + "/study.sqlite", s.folder / "alone.sqlite");
  const std::string alone = (s.folder / "alone.html").string();
  CHECK(s.study({"report", (s.folder / "alone.sqlite").string(), "--objective", "val_loss", "-o", alone}).code == 0);
  CHECK_THAT(tests::slurp(alone), Contains("<section id=\"trials\">"));
  CHECK_THAT(s.study({"best", s.place, "--out", "x"}).err, Contains("--out belongs to report, export"));
}
