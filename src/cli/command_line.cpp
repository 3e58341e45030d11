// Which verb, and what stands before it. What a verb takes itself stands in its file.

#include "cli/command_line.hpp"

#include <cctype>

#include "cli/help.hpp"
#include "cli/version.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

std::string version_line() {
  return "condenser " + version() + " (LibTorch " + libtorch_version() + ", " + compiler() + ", " + build_type() + ")";
}

// "no such verb; did you mean search? (run, search, ...)"
core::ConfigError unknown(const std::string& word, const char* what, const std::vector<std::string>& known) {
  std::string lower = word;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::vector<std::string> candidates = known;
  candidates.insert(candidates.end(), {"help", "--version"});
  const std::string near = core::config::nearest(lower, candidates);
  return core::ConfigError("condenser " + core::printable(word) + ": no such " + what +
                           (near.empty() ? "" : "; did you mean " + near + "?") + " (" + core::join(known) + ")");
}

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    if (name == verb.name) return verb;
    names.push_back(verb.name);
  }
  throw unknown(name, "verb", names);
}

CommandLine answer(std::string text, core::ExitCode code = core::ExitCode::Ok) {
  return {.run = {}, .global = {}, .text = std::move(text), .code = static_cast<int>(code)};
}

bool is(const std::string& word, const char* short_name, const char* long_name) {
  return word == short_name || word == long_name;
}

}  // namespace

std::string help_of(const std::string& verb) {
  const Verb& found = find_verb(verb);
  Args args(found, {});
  const Run options = found.declare(args);
  return args.help();
}

std::vector<VerbRow> describe_command_line() {
  std::vector<VerbRow> rows;
  for (const Verb& verb : verbs()) {
    Args args(verb, {});
    const Run options = verb.declare(args);
    rows.push_back({verb.name, verb.about, footer_of(verb), args.rows()});
  }
  return rows;
}

CommandLine parse(const std::vector<std::string>& typed) {
  CommandLine line;
  size_t at = 1;
  for (; at < typed.size() && typed[at].starts_with("-"); ++at) {
    const std::string& word = typed[at];
    if (is(word, "-h", "--help")) return answer(overview());
    if (word == "--version") return answer(version_line() + "\n");
    if (is(word, "-q", "--quiet"))
      line.global.quiet = true;
    else if (is(word, "-v", "--verbose"))
      line.global.verbose = true;
    else
      throw unknown(word, "option", {"--help", "--quiet", "--verbose", "--version"});
  }
  if (at >= typed.size()) return answer(overview(), core::ExitCode::Usage);
  if (typed[at] == "help") return answer(at + 1 < typed.size() ? help_of(typed[at + 1]) : overview());
  const Verb& verb = find_verb(typed[at]);
  Args args(verb, typed);
  Run run = verb.declare(args);
  const auto text = args.read({typed.begin() + static_cast<std::ptrdiff_t>(at) + 1, typed.end()}, line.global);
  if (text) return answer(*text);
  line.run = std::move(run);
  return line;
}

}  // namespace condenser::cli
