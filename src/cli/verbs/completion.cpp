// `condenser completion`: shell completion and the manual page, from the table that the command line is parsed with.

#include <algorithm>
#include <functional>

#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "cli/verb.hpp"
#include "cli/version.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

std::string words_of(const VerbRow& verb) {
  std::vector<std::string> words;
  for (const OptionRow& option : verb.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
    if (option.names.empty()) words.insert(words.end(), option.choices.begin(), option.choices.end());
  }
  return core::join(words, " ");
}

std::string names_of(const std::vector<VerbRow>& verbs) {
  std::vector<std::string> names{"help"};
  for (const VerbRow& verb : verbs) names.push_back(verb.name);
  return core::join(names, " ");
}

// Inside single quotes of a shell.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + out + "'";
}

std::string bash(const std::vector<VerbRow>& verbs) {
  std::string out =
      "# bash completion for condenser; made by `condenser completion bash`\n"
      "_condenser() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words=\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W " +
      quoted(names_of(verbs) + " --help --version --quiet --verbose") +
      " -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case $verb:$before in\n";
  for (const VerbRow& verb : verbs)
    for (const OptionRow& option : verb.options)
      for (const std::string& name : option.names)
        if (!option.choices.empty())
          out += "    " + verb.name + ":" + name + ") COMPREPLY=($(compgen -W " +
                 quoted(core::join(option.choices, " ")) + " -- \"$word\")); return ;;\n";
  out += "  esac\n  case $verb in\n    help) words=" + quoted(names_of(verbs)) + " ;;\n";
  for (const VerbRow& verb : verbs) out += "    " + verb.name + ") words=" + quoted(words_of(verb)) + " ;;\n";
  return out +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\") $(compgen -f -- \"$word\"))\n"
         "}\n"
         "complete -o filenames -F _condenser condenser\n";
}

// Brackets and colons mean something in the specifications of _arguments.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) out += (c == '[' || c == ']' || c == ':' || c == '\\' ? "\\" : "") + std::string(1, c);
  return out;
}

std::string zsh_option(const OptionRow& option) {
  const std::string values = option.choices.empty() ? "_files" : "(" + core::join(option.choices, " ") + ")";
  if (option.names.empty()) return " " + quoted("*:" + zsh_text(option.word) + ":" + values);
  std::string out;
  for (const std::string& name : option.names)
    out += " " + quoted(name + "[" + zsh_text(option.help) + "]" + (option.value.empty() ? "" : ":value:" + values));
  return out;
}

std::string zsh(const std::vector<VerbRow>& verbs) {
  std::string out =
      "#compdef condenser\n"
      "# made by `condenser completion zsh`\n"
      "_condenser() {\n"
      "  local -a verbs\n"
      "  verbs=(";
  for (const VerbRow& verb : verbs) out += "\n    " + quoted(zsh_text(verb.name) + ":" + zsh_text(verb.about));
  out +=
      ")\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe verb verbs\n"
      "    return\n"
      "  fi\n"
      "  local verb=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $verb in\n"
      "    help) _describe verb verbs ;;\n";
  for (const VerbRow& verb : verbs) {
    out += "    " + verb.name + ") _arguments";
    for (const OptionRow& option : verb.options) out += zsh_option(option);
    out += " ;;\n";
  }
  return out + "  esac\n}\n_condenser \"$@\"\n";
}

std::string fish(const std::vector<VerbRow>& verbs) {
  std::string out = "# fish completion for condenser; made by `condenser completion fish`\n";
  for (const VerbRow& verb : verbs) {
    out += "complete -c condenser -n __fish_use_subcommand -f -a " + verb.name + " -d " + quoted(verb.about) + "\n";
    for (const OptionRow& option : verb.options) {
      std::string line = "complete -c condenser -n '__fish_seen_subcommand_from " + verb.name + "'";
      for (const std::string& name : option.names)
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty()) line += " -a " + quoted(core::join(option.choices, " "));
      if (!option.value.empty() && !option.names.empty()) line += " -r";
      if (option.names.empty() && option.choices.empty()) continue;  // files, which fish offers itself
      out += line + " -d " + quoted(option.help) + "\n";
    }
  }
  return out;
}

// roff: a backslash is an escape, a point or an apostrophe at the beginning of a line a request, a hyphen-minus \-.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool begins = out.empty() || out.back() == '\n';
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? std::string("\\e") : c == '-' ? std::string("\\-") : std::string(1, c);
  }
  return out;
}

std::string manual(const std::vector<VerbRow>& verbs) {
  std::string out = ".TH CONDENSER 1 \"\" \"condenser " + version() +
                    "\" \"User Commands\"\n.SH NAME\ncondenser \\- designs, trains and ships tiny attention networks\n"
                    ".SH SYNOPSIS\n.B condenser\n.I verb\n.RI [ options ]\n.SH DESCRIPTION\n.nf\n" +
                    roff(overview()) + ".fi\n.SH VERBS\n";
  for (const VerbRow& verb : verbs) {
    out += ".SS " + roff(verb.name) + "\n" + roff(verb.about) + "\n";
    for (const OptionRow& option : verb.options) {
      out += ".TP\n.B " + roff(option.names.empty() ? option.word : core::join(option.names)) +
             (option.value.empty() ? "" : " " + roff(option.value)) + "\n" + roff(option.help) + "\n";
    }
    out += ".PP\n" + roff(verb.footer) + "\n";
  }
  return out;
}

struct Form {
  const char* name;
  std::string (*text)(const std::vector<VerbRow>&);
};
constexpr Form kForms[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}, {"man", manual}};

struct Options {
  std::string shell;
};

void add_options(Args& args, Options& o) {
  std::vector<std::string> names;
  for (const Form& form : kForms) names.push_back(form.name);
  args.option("shell", o.shell, "which shell, or man").required().choices(names);
}

int print_completion(const Options& o) {
  for (const Form& form : kForms)
    if (o.shell == form.name) core::write_output(form.text(describe_command_line()));
  return 0;
}

}  // namespace

Verb completion_verb() {
  return {.name = "completion",
          .group = kTools,
          .about = "completion for bash, zsh or fish, or the manual page, on standard output",
          .example = "completion bash > ~/.local/share/bash-completion/completions/condenser",
          .next = "Installed builds bring these files along.",
          .declare = with_options<Options>(add_options, print_completion)};
}

}  // namespace condenser::cli
