// Every verb on the command line: help, formats, nonsense, completion; standard output that is full or closed; signals.

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/absent.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser::tests;
using nlohmann::json;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

size_t widest(const std::string& text) {
  std::istringstream in(text);
  size_t widest = 0;
  for (std::string line; std::getline(in, line);) widest = std::max(widest, line.size());
  return widest;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  std::istringstream in(run_condenser({"completion", "bash"}).out);
  for (std::string line; std::getline(in, line);)
    if (contains(line, "help) words='help ")) {
      std::istringstream words(line.substr(line.find("'help ") + 6));
      for (std::string word; words >> word;) names.push_back(word.substr(0, word.find('\'')));
    }
  std::erase(names, ";;");
  return names;
}

Finished shell(const std::string& command, const std::filesystem::path& folder = CONDENSER_SOURCE_DIR) {
  return run({"sh", "-c", command}, folder);
}

// Before exec the child has the handlers of this test program.
bool catches(pid_t pid, int signal) {
  std::error_code gone;
  const auto program = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone);
  if (gone || !std::filesystem::equivalent(program, CONDENSER_BINARY, gone)) return false;
  const std::string status = slurp("/proc/" + std::to_string(pid) + "/status");
  const size_t at = status.find("SigCgt:");
  return at != std::string::npos && (std::stoull(status.substr(at + 7), nullptr, 16) >> (signal - 1) & 1);
}

const std::string kBinary = CONDENSER_BINARY;

}  // namespace

TEST_CASE("every verb tells a newcomer its options, an example and what comes next", "[cli][help]") {
  const auto names = verb_names();
  REQUIRE(names.size() >= 18);
  const std::string overview = run_condenser({"help"}).out;
  CHECK(overview == run_condenser({"--help"}).out);
  CHECK(widest(overview) <= 100);
  for (const std::string& name : names) {
    INFO(name);
    const Finished help = run_condenser({name, "--help"});
    CHECK(help.code == 0);
    CHECK(contains(help.out, "Example: condenser " + name));
    CHECK(help.out == run_condenser({"help", name}).out);
    CHECK(contains(overview, "\n  " + name + " ") == (name != "examiner"));  // not for people
    CHECK(run_condenser({name, "--no-such-option"}).code == 2);
  }
  const Finished nothing = run_condenser({});
  CHECK(nothing.code == 2);
  CHECK(nothing.out == overview);
  CHECK(contains(run_condenser({"help", "serch"}).err, "did you mean search"));
}

TEST_CASE("--help-config is narrow, has each option once, and one section when asked", "[cli][help]") {
  const Finished all = run_condenser({"run", "--help-config"});
  CHECK(all.code == 0);
  CHECK(widest(all.out) <= 100);
  std::vector<std::string> heads;
  std::istringstream in(all.out);
  for (std::string line; std::getline(in, line);)
    if (contains(line, " = ") && line[0] != ' ') heads.push_back(line.substr(0, line.find(" = ")));
  const size_t count = heads.size();
  std::sort(heads.begin(), heads.end());
  heads.erase(std::unique(heads.begin(), heads.end()), heads.end());
  CHECK(heads.size() == count);
  CHECK(std::binary_search(heads.begin(), heads.end(), "train.lr"));
  CHECK_FALSE(std::binary_search(heads.begin(), heads.end(), "probe.lr"));  // said once, with train

  const Finished section = run_condenser({"run", "--help-config", "train.augment", "--format", "json"});
  CHECK(section.code == 0);
  for (const auto& option : json::parse(section.out))
    CHECK(option["option"].get<std::string>().starts_with("train.augment"));
  CHECK(contains(run_condenser({"run", "--help-config", "trian"}).err, "did you mean train"));
}

TEST_CASE("completion is what the shells read", "[cli][help]") {
  const TempFolder folder;
  for (const char* name : {"bash", "zsh", "fish", "man"}) {
    const Finished made = run_condenser({"completion", name});
    CHECK(made.code == 0);
    folder.write(name, made.out);
  }
  CHECK(run_condenser({"completion", "tcsh"}).code == 2);
  CHECK(run({"bash", "-n", (folder / "bash").string()}, "/").code == 0);
  const auto complete = [&](const std::string& words, int at) {
    return run({"bash", "-c",
                "source " + (folder / "bash").string() + "; COMP_WORDS=(" + words +
                    "); COMP_CWORD=" + std::to_string(at) + "; _condenser; printf '%s\\n' \"${COMPREPLY[@]}\""},
               "/")
        .out;
  };
  CHECK(complete("condenser qua", 1) == "quantize\n");
  CHECK(contains(complete("condenser draw --co", 2), "--colour"));
  CHECK(complete("condenser draw --format s", 3) == "svg\n");
  for (const char* name : {"zsh", "fish"})
    if (run({"sh", "-c", std::string("command -v ") + name}, "/").code == 0)
      CHECK(run({name, "-n", (folder / name).string()}, "/").code == 0);
}

TEST_CASE("standard output that is full, closed or has no reader is an error with a name", "[cli]") {
  const std::vector<std::string> commands = {
      "zoo", "describe resnet8", "draw resnet8", "help", "completion man", "zoo --format json", "run --help-config"};
  for (const std::string& command : commands) {
    INFO(command);
    const Finished full = shell(kBinary + " " + command + " > /dev/full");
    CHECK(full.code == 1);
    CHECK(full.err == "error: standard output: No space left on device; what should stand there is incomplete\n");
    const Finished closed = shell(kBinary + " " + command + " >&-");
    CHECK(closed.code == 1);
    CHECK(contains(closed.err, "standard output: it is closed"));
  }
  const Finished gone =
      run({"bash", "-c", "{ sleep 0.2; " + kBinary + " zoo; echo $? >&2; } | true"}, CONDENSER_SOURCE_DIR);
  CHECK(gone.err == "error: standard output: its reader has gone; what should stand there is incomplete\n1\n");
}

TEST_CASE("files of a process started with closed streams are not written into by its messages", "[cli]") {
  const TempFolder folder;
  const Finished f = shell(kBinary + " draw resnet8 -o net.svg <&- >&- 2>&-", folder.path());
  CHECK(f.code == 0);
  CHECK(slurp(folder / "net.svg") == run_condenser({"draw", "resnet8"}).out);
}

TEST_CASE("names from files cannot give orders to a terminal or forge a message", "[cli]") {
  const TempFolder folder;
  folder.write("run.yaml", "dataset: {card: " + std::string(CONDENSER_SOURCE_DIR) +
                               "/datasets/digits}\n\"a\\e[31mRED\\e]0;own\\a\\nerror: forged\\u009b\\u202e\": 1\n");
  const Finished f = run_condenser({"run", "run.yaml"}, folder.path());
  CHECK(f.code == 2);
  CHECK(std::count(f.err.begin(), f.err.end(), '\n') == 1);
  for (const char c : f.err) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  CHECK(contains(f.err, "\\x1b[31mRED"));
  CHECK(contains(f.err, "\\u009b\\u202e"));
}

TEST_CASE("verbs that have nothing to save end at a signal with its exit code", "[cli]") {
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 129}, {SIGUSR1, 75}}) {
    Process process({kBinary, "bench", "gate"}, CONDENSER_SOURCE_DIR);
    while (process.running() && !catches(process.pid(), signal)) usleep(1000);
    process.send(signal);
    CHECK(process.wait().code == code);
  }
}
