#include "cli/help.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "cli/run_config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using core::config::Option;

std::string wrapped(const std::string& text, size_t indent) {
  std::istringstream words(text);
  std::string out, line(indent, ' ');
  for (std::string word; words >> word;) {
    const bool first = line.size() == indent;
    if (!first && line.size() + 1 + word.size() > kHelpWidth) {
      out += line + "\n";
      line.assign(indent, ' ');
    }
    line += (line.size() == indent ? "" : " ") + word;
  }
  return out + line + "\n";
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size() + 2), ' ');
  return text;
}

bool within(const std::string& path, const std::string& section) {
  return section.empty() || path == section || path.starts_with(section + ".");
}

core::Table option_table(const std::vector<Option>& options) {
  core::Table t{{{"option", "option", false},
                 {"type", "type", false},
                 {"default", "default", false},
                 {"expected", "expected", false},
                 {"help", "help", false}},
                {}};
  for (const Option& o : options)
    t.rows.push_back({core::cell(o.path), core::cell(o.type), core::cell(o.default_value), core::cell(o.expected),
                      core::cell(o.help)});
  return t;
}

std::string option_text(const Option& o) {
  if (o.type == "section") return "\n" + o.path + ":\n" + wrapped(o.help, 4);
  std::string head = o.path + " = " + (o.default_value.empty() ? "\"\"" : o.default_value);
  const std::string expected = o.expected.empty() ? o.type : o.type + ", " + o.expected;
  const bool fits = head.size() + 4 + expected.size() <= kHelpWidth;
  if (fits) return head + "  (" + expected + ")\n" + wrapped(o.help, 4);
  return wrapped(head, 0) + wrapped("(" + expected + ")", 4) + wrapped(o.help, 4);
}

// Options of `probe` that `train` has in the same words.
bool same_in_training(const Option& o, const std::map<std::string, const Option*>& by_path) {
  if (!o.path.starts_with("probe.")) return false;
  const auto twin = by_path.find("train." + o.path.substr(6));
  return twin != by_path.end() && twin->second->help == o.help && twin->second->expected == o.expected;
}

std::string reference_text(const std::vector<Option>& options, bool whole) {
  std::map<std::string, const Option*> by_path;
  for (const Option& o : options) by_path[o.path] = &o;
  std::string out, others;
  for (const Option& o : options) {
    if (whole && same_in_training(o, by_path)) {
      const Option& twin = *by_path.at("train." + o.path.substr(6));
      if (twin.default_value != o.default_value)
        others += (others.empty() ? "" : ", ") + o.path + " = " + o.default_value;
      continue;
    }
    if (o.path == "train" && whole)
      out += wrapped("And every option of train but on_validation, as probe.<option>, in the same words" +
                         (others.empty() ? "" : "; with defaults of their own: " + others) + ".",
                     4);
    out += option_text(o);
  }
  return out;
}

}  // namespace

std::string overview() {
  std::string out = "condenser designs, trains and ships tiny attention networks.\n\n";
  out += "  condenser run experiments/digits_quickstart/run.yaml    search, train, quantize, export, prove\n";
  out += "  condenser doctor                                        what works here, what is missing\n";
  out += "  condenser help VERB                                     options and an example of one verb\n";
  out += "  condenser run --help-config [SECTION]                   every option of a run file\n";
  std::string group;
  for (const Verb& verb : verbs()) {
    if (*verb.group == '\0') continue;
    if (group != verb.group) out += std::string("\n") + verb.group + "\n";
    group = verb.group;
    out += "  " + padded(verb.name, 12) + verb.about + "\n";
  }
  out +=
      "\nAlways: -q, --quiet (warnings and errors only), -v, --verbose, --version.\n"
      "Exit codes: 0 ok, 1 run failed, 2 usage or configuration, 3 no feasible candidate, 4 verification\n"
      "mismatch, 5 run folder locked, 6 finished but a limit does not hold, 75 requeue, 129 SIGHUP, 130\n"
      "SIGINT, 143 SIGTERM.\n";
  return out;
}

std::string footer_of(const Verb& verb) {
  return std::string("\nExample: condenser ") + verb.example + "\n" + verb.next;
}

std::string config_reference(const std::string& section, const std::string& format) {
  std::vector<Option> options, chosen;
  std::vector<std::string> sections;
  for (const Option& o : config_options()) {
    options.push_back(o);
    if (o.type == "section") sections.push_back(o.path);
    if (within(o.path, section)) chosen.push_back(o);
  }
  if (chosen.empty()) {
    const std::string near = core::config::nearest(section, sections);
    std::erase_if(sections, [](const std::string& s) { return s.find('.') != std::string::npos; });
    throw core::ConfigError("--help-config " + section + ": no such section" +
                            (near.empty() ? "" : "; did you mean " + near + "?") + " (" + core::join(sections) + ")");
  }
  if (format == "json") return core::to_json(option_table(chosen)) + "\n";
  if (format == "csv") return core::to_csv(option_table(chosen));
  if (format == "markdown") return core::to_markdown(option_table(chosen));
  return reference_text(chosen, section.empty());
}

}  // namespace condenser::cli
