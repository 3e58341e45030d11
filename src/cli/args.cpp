// CLI11 lives here and nowhere else.

#include "cli/args.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <deque>
#include <filesystem>

#include "cli/help.hpp"
#include "cli/verb.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

using Declared = std::deque<std::pair<CLI::Option*, OptionRow>>;  // a deque: options hold references

struct Args::State {
  CLI::App app;
  std::string verb, example;
  std::vector<std::string> command_line;
  Declared rows;
  std::vector<std::function<void()>> afterwards;
  std::function<std::string()> answer;
  State(const Verb& v, std::vector<std::string> typed)
      : app(v.about, std::string("condenser ") + v.name),
        verb(v.name),
        example(std::string("condenser ") + v.example),
        command_line(std::move(typed)) {}
};

namespace {

// Lies in every range, as comparisons with it are false.
std::string is_number(const std::string& text) {
  return std::isnan(std::strtod(text.c_str(), nullptr)) ? "not a number" : "";
}

}  // namespace

ArgOption& ArgOption::required() {
  option_->required();
  facts_->required = true;
  return *this;
}

ArgOption& ArgOption::range(int low, int high) {
  option_->check(CLI::Range(low, high));
  facts_->range = {low, high};
  facts_->expected = std::to_string(low) + ".." + std::to_string(high);
  return *this;
}

ArgOption& ArgOption::range(double low, double high) {
  option_->check(CLI::Range(low, high))->check(is_number);
  facts_->range = {low, high};
  facts_->expected = core::number(low) + ".." + core::number(high);
  return *this;
}

ArgOption& ArgOption::not_negative() {
  option_->check(CLI::NonNegativeNumber)->check(is_number);
  facts_->expected = "0 or more";
  return *this;
}

ArgOption& ArgOption::choices(const std::vector<std::string>& words) {
  CLI::Validator check = CLI::IsMember(words);
  check.description("{" + core::join(words, ",") + "}");
  option_->check(check);
  facts_->choices = words;
  facts_->expected = "one of " + core::join(words);
  return *this;
}

ArgOption& ArgOption::with_default() {
  option_->capture_default_str();
  return *this;
}

ArgOption& ArgOption::in_one_word() {
  option_->delimiter(',');
  return *this;
}

ArgOption& ArgOption::value_name(const char* name) {
  option_->type_name(name);
  return *this;
}

Args::Args(const Verb& verb, std::vector<std::string> command_line)
    : state_(std::make_unique<State>(verb, std::move(command_line))) {
  CLI::App& app = state_->app;
  app.footer(footer_of(verb));
  app.get_formatter()->column_width(34);
  declared(app.get_help_ptr());
}

Args::Args(Args&&) noexcept = default;
Args::~Args() = default;

ArgOption Args::declared(CLI::Option* option) {
  OptionRow row;
  for (const std::string& name : option->get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option->get_lnames()) row.names.push_back("--" + name);
  if (row.names.empty()) row.word = option->get_name(true);
  row.help = option->get_description();
  state_->rows.emplace_back(option, std::move(row));
  return {option, &state_->rows.back().second};
}

template <class T>
ArgOption Args::option(const std::string& names, T& value, const std::string& help) {
  return declared(state_->app.add_option(names, value, help));
}
template ArgOption Args::option(const std::string&, std::string&, const std::string&);
template ArgOption Args::option(const std::string&, std::filesystem::path&, const std::string&);
template ArgOption Args::option(const std::string&, int&, const std::string&);
template ArgOption Args::option(const std::string&, double&, const std::string&);
template ArgOption Args::option(const std::string&, std::optional<double>&, const std::string&);
template ArgOption Args::option(const std::string&, std::vector<std::string>&, const std::string&);
template ArgOption Args::option(const std::string&, std::vector<int>&, const std::string&);

void Args::flag(const std::string& names, bool& value, const std::string& help) {
  declared(state_->app.add_flag(names, value, help));
}

void Args::question(const std::string& name, const char* value_name, const std::string& help,
                    std::function<std::string(const std::string& word)> answer) {
  const auto asked = [state = state_.get(), answer = std::move(answer)](const std::string& word) {
    state->answer = [=] { return answer(word); };
  };
  declared(state_->app.add_option_function<std::string>(name, asked, help)->expected(0, 1)->type_name(value_name));
}

void Args::afterwards(std::function<void()> check) { state_->afterwards.push_back(std::move(check)); }

const std::string& Args::verb() const { return state_->verb; }
const std::string& Args::example() const { return state_->example; }
const std::vector<std::string>& Args::command_line() const { return state_->command_line; }

std::string Args::help() const {
  std::string text = state_->app.help();
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::vector<OptionRow> Args::rows() const {
  std::vector<OptionRow> rows;
  for (const auto& [option, facts] : state_->rows) {
    rows.push_back(facts);
    rows.back().value = option->get_items_expected_max() == 0 ? "" : option->get_type_name();
  }
  return rows;
}

namespace {

std::string shown(const OptionRow& row) { return row.names.empty() ? "'" + row.word + "'" : row.names.back(); }
const std::string& expected(const OptionRow& row) { return row.expected.empty() ? row.help : row.expected; }

// "--colr: no such option; did you mean --colour?"
std::string unexpected(const std::string& word, const std::vector<OptionRow>& rows) {
  if (word.size() < 2 || word[0] != '-') return "'" + word + "' is one argument too many";
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const OptionRow& row : rows) names.insert(names.end(), row.names.begin(), row.names.end());
  names.insert(names.end(), {"--quiet", "--verbose"});
  const std::string near = core::config::nearest(name, names);
  if (!near.empty()) return name + ": no such option; did you mean " + near + "?";
  if (name.find('.') != std::string::npos)
    return name +
           ": no such option; those of a run file stand without dashes: " + word.substr(word.find_first_not_of('-'));
  return name + ": no such option (" + core::join(names) + ")";
}

// CLI11 says which option it is about at the beginning: "--top: Value ..."; or behind "Could not convert: ".
bool tells_of(const std::string& message, const std::string& name) {
  return message.starts_with(name + ":") || message.find(": " + name + " ") != std::string::npos;
}

std::string missing(const OptionRow& row, const std::string& example) {
  return shown(row) + " is missing; expected " + expected(row) + ", for example " + example;
}

// CLI11 would take the next option for the value: `--runs= --dry-run` would be a run in the folder --dry-run.
const std::pair<CLI::Option*, OptionRow>* without_value(const std::vector<std::string>& words,
                                                        const Declared& declared) {
  const auto find = [&](const std::string& name) {
    return std::find_if(declared.begin(), declared.end(), [&](const auto& d) {
      return std::find(d.second.names.begin(), d.second.names.end(), name) != d.second.names.end();
    });
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const bool assigns = words[i].ends_with("=");
    const auto found = find(assigns ? words[i].substr(0, words[i].size() - 1) : words[i]);
    if (found == declared.end() || found->first->get_items_expected_min() == 0) continue;
    if (assigns || (i + 1 < words.size() && find(words[i + 1]) != declared.end())) return &*found;
  }
  return nullptr;
}

// They work behind the verb too; the overview tells of them once.
void take_global(std::vector<std::string>& words, GlobalOptions& global) {
  const auto take = [&](const char* short_name, const char* long_name, bool& value) {
    value |= std::erase_if(words, [&](const std::string& w) { return w == short_name || w == long_name; }) > 0;
  };
  take("-q", "--quiet", global.quiet);
  take("-v", "--verbose", global.verbose);
}

// "--classes 0; expected 1..65536"
std::string refused(const CLI::Option& option, const OptionRow& row) {
  const std::vector<std::string>& given = option.results();
  if (option.get_items_expected_max() == 0) return shown(row) + ": takes no value";
  if (given.size() > 1 && option.get_items_expected_max() == 1)
    return shown(row) + ": is there " + std::to_string(given.size()) + " times; expected once";
  const std::string near = given.empty() ? "" : core::config::nearest(given.back(), row.choices);
  return shown(row) + (given.empty() ? ": its value is missing" : " " + core::join(given, " ")) + "; expected " +
         expected(row) + (near.empty() ? "" : "; did you mean " + near + "?");
}

}  // namespace

std::optional<std::string> Args::read(std::vector<std::string> words, GlobalOptions& global) {
  CLI::App& app = state_->app;
  const auto refuse = [&](const std::string& what) {
    throw core::ConfigError("condenser " + state_->verb + ": " + core::printable(what) +
                            (what.ends_with("?") ? " See" : "; see") + " condenser help " + state_->verb);
  };
  take_global(words, global);
  if (!words.empty() && words.front().empty()) refuse("its first argument is empty");
  if (const auto* lacking = without_value(words, state_->rows)) refuse(refused(*lacking->first, lacking->second));
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the end
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    return help();
  } catch (const CLI::ExtrasError&) {
    refuse(unexpected(app.remaining().front(), rows()));
  } catch (const CLI::ParseError& e) {
    const bool lacks = dynamic_cast<const CLI::RequiredError*>(&e) != nullptr;
    for (const auto& [option, row] : state_->rows) {
      if (lacks && row.required && option->count() == 0) refuse(missing(row, state_->example));
      if (!lacks && tells_of(e.what(), option->get_name())) refuse(refused(*option, row));
    }
    refuse(e.what());
  }
  if (state_->answer) return state_->answer();
  for (const auto& check : state_->afterwards) check();
  return std::nullopt;
}

}  // namespace condenser::cli
