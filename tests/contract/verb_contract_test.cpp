// What every verb of the table keeps: help with an example and what comes next, choices that parse, and one line with
// exit code 2 for what it does not take. The command line is read in this process; nothing runs.

#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "condenser/core/error.hpp"
#include "support/approve.hpp"

using namespace condenser;
using namespace condenser::cli;
using Catch::Matchers::Contains;

namespace {

using Words = std::vector<std::string>;

CommandLine read(const std::string& verb, Words words) {
  words.insert(words.begin(), {"condenser", verb});
  return parse(words);
}

// The message of a refusal, which has to be one line and a usage error; "": it was taken.
std::string refusal(const std::string& verb, const Words& words) {
  try {
    read(verb, words);
    return "";
  } catch (const core::ConfigError& e) {
    CHECK(e.code() == core::ExitCode::Usage);
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    return e.what();
  }
}

// Something for each positional, so that options can be looked at one by one.
Words positionals(const VerbRow& verb) {
  Words words;
  for (const OptionRow& option : verb.options)
    if (option.names.empty() && (option.required || option.word == "run"))
      words.push_back(option.choices.empty() ? "something" : option.choices.front());
  return words;
}

Words with(Words words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
  return words;
}

std::string number(double value) {
  const auto whole = static_cast<long long>(value);
  return static_cast<double>(whole) == value ? std::to_string(whole) : std::to_string(value);
}

}  // namespace

TEST_CASE("every verb helps, with an example and what comes next", "[contract][cli]") {
  for (const Verb& verb : verbs()) {
    INFO(verb.name);
    const CommandLine help = read(verb.name, {"--help"});
    CHECK(!help.run);
    CHECK(help.code == 0);
    CHECK(help.text == help_of(verb.name));
    CHECK(help.text == parse({"condenser", "help", verb.name}).text);
    CHECK_THAT(help.text, Contains(verb.about) && Contains(std::string("Example: condenser ") + verb.example + "\n") &&
                              Contains(verb.next));
    CHECK(std::string(verb.example).starts_with(verb.name));
    if (*verb.group != '\0') CHECK_THAT(overview(), Contains(std::string("\n  ") + verb.name + " "));
  }
}

TEST_CASE("the example of every verb is one that it takes", "[contract][cli]") {
  for (const Verb& verb : verbs()) {
    std::istringstream in(verb.example);
    Words words{"condenser"};
    for (std::string word; in >> word && word != ">";) words.push_back(word);
    INFO(verb.example);
    CHECK_NOTHROW(parse(words));
  }
}

TEST_CASE("every choice of every option is taken, and nothing else", "[contract][cli]") {
  for (const VerbRow& verb : describe_command_line())
    for (const OptionRow& option : verb.options) {
      if (option.choices.empty() || option.names.empty()) continue;
      for (const std::string& choice : option.choices) {
        INFO(verb.name << " " << option.names.back() << " " << choice);
        CHECK(refusal(verb.name, with(positionals(verb), {option.names.back(), choice})).empty());
      }
      INFO(verb.name << " " << option.names.back());
      CHECK_THAT(refusal(verb.name, with(positionals(verb), {option.names.back(), "nonsense"})),
                 Contains(option.names.back()) && Contains(option.choices.front()) && Contains(option.choices.back()));
    }
}

TEST_CASE("numbers are taken up to both ends of their range, and refused beyond", "[contract][cli]") {
  int ranges = 0;
  for (const VerbRow& verb : describe_command_line())
    for (const OptionRow& option : verb.options) {
      if (!option.range) continue;
      ++ranges;
      const std::string name = option.names.back();
      const auto [low, high] = *option.range;
      INFO(verb.name << " " << name << " " << low << ".." << high);
      const auto said = [&](const std::string& value) {
        return refusal(verb.name, with(positionals(verb), {name, value}));
      };
      CHECK(said(number(low)).empty());
      CHECK(said(number(high)).empty());
      for (const std::string& value : {number(low - 1), number(high + 1), std::string("many"), std::string("nan"),
                                       std::string("99999999999999999999999")})
        CHECK_THAT(said(value), Contains(name));
      CHECK_THAT(refusal(verb.name, with(positionals(verb), {name})), Contains(name));
    }
  CHECK(ranges > 10);
}

TEST_CASE("an unknown option is answered with the nearest, or with all", "[contract][cli]") {
  for (const VerbRow& verb : describe_command_line()) {
    INFO(verb.name);
    CHECK_THAT(refusal(verb.name, with(positionals(verb), {"--helq"})), Contains("did you mean --help?"));
    CHECK_THAT(refusal(verb.name, with(positionals(verb), {"--no-such-option-at-all"})),
               Contains("--no-such-option-at-all: no such option") && Contains("--help"));
    for (const OptionRow& option : verb.options)
      if (!option.names.empty() && option.names.back().size() > 4)
        CHECK_THAT(refusal(verb.name, with(positionals(verb), {option.names.back() + "x"})),
                   Contains("did you mean " + option.names.back() + "?"));
  }
}

TEST_CASE("what is missing is named, with an example", "[contract][cli]") {
  for (const VerbRow& verb : describe_command_line()) {
    INFO(verb.name);
    const Words all = positionals(verb);
    std::vector<std::string> names;
    for (const OptionRow& option : verb.options)
      if (option.names.empty() && (option.required || option.word == "run")) names.push_back(option.word);
    for (size_t given = 0; given < all.size(); ++given)
      CHECK_THAT(refusal(verb.name, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(given)}),
                 Contains(names[given]) && Contains("condenser " + verb.name + " "));
    CHECK(refusal(verb.name, all).empty());
  }
}

TEST_CASE("an option never takes the next option for its value", "[contract][cli]") {
  for (const VerbRow& verb : describe_command_line())
    for (const OptionRow& option : verb.options) {
      if (option.names.empty() || option.value.empty() || option.value[0] == '[')
        continue;  // [SECTION]: may be left out
      const std::string name = option.names.back();
      INFO(verb.name << " " << name);
      for (const Words& words : {Words{name, "--help"}, Words{name + "=", "--help"}, Words{name + "="}, Words{name}}) {
        Words all = positionals(verb);
        all.insert(all.end(), words.begin(), words.end());
        CHECK_THAT(refusal(verb.name, all), Contains(name + ": its value is missing"));
      }
    }
}

TEST_CASE("what a newcomer types first is answered", "[contract][cli]") {
  const auto says = [](const Words& words, const char* answer) {
    INFO(words.back());
    CHECK_THROWS_WITH(parse(words), Contains(answer));
  };
  says({"condenser", "RUN", "x"}, "did you mean run?");
  says({"condenser", "version"}, "did you mean --version?");
  says({"condenser", "train", "x", "--train.epochs=3"}, "without dashes: train.epochs=3");
  says({"condenser", "describe", "x", "--classes", "1", "--classes", "2"}, "--classes: is there 2 times");
  says({"condenser", "run", ""}, "empty");
  says({"condenser", "zoo", "resnet8"}, "'resnet8' is one argument too many");
}

TEST_CASE("quiet and verbose stand before the verb or behind it", "[contract][cli]") {
  CHECK(parse({"condenser", "-q", "zoo"}).global.quiet);
  CHECK(parse({"condenser", "zoo", "--quiet"}).global.quiet);
  CHECK(parse({"condenser", "zoo", "-v"}).global.verbose);
  CHECK_FALSE(parse({"condenser", "zoo"}).global.verbose);
  CHECK_THROWS_WITH(parse({"condenser", "--verbos", "zoo"}), Contains("did you mean --verbose?"));
}

TEST_CASE("texts of the command line are those that were approved", "[contract][cli][golden]") {
  tests::approve("cli/overview.txt", overview());
  for (const Verb& verb : verbs()) tests::approve(std::string("cli/") + verb.name + ".txt", help_of(verb.name));
}
