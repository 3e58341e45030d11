#pragma once
// What a verb takes from the command line. A small face over CLI11, which only args.cpp sees:
//
//   args.option("--top", o.top, "so many classes for each file").range(1, 65536).with_default();

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class Option;
}

namespace condenser::cli {

struct Verb;

// An option as it was declared, for completion, the manual and tests.
struct OptionRow {
  std::vector<std::string> names;    // "--format", "-o"; empty: positional
  std::string word;                  // positional: its name
  std::string help, value;           // of the value: "TEXT", "INT in [1 - 4096]"; empty: a flag
  std::vector<std::string> choices;  // the values there are; empty: any
  std::string expected;              // of the value, for messages: "1..65536", "one of svg, dot"; empty: see help
  bool required = false;
  std::optional<std::pair<double, double>> range;  // of numbers
};

struct GlobalOptions {
  bool quiet = false, verbose = false;
};

// Refines an option that has been declared.
class ArgOption {
 public:
  ArgOption& required();
  ArgOption& range(int low, int high);  // refused outside
  ArgOption& range(double low, double high);
  ArgOption& not_negative();
  ArgOption& choices(const std::vector<std::string>&);
  ArgOption& with_default();  // the help says what holds without it
  ArgOption& in_one_word();   // several values may be written as 1,2,4
  ArgOption& value_name(const char*);

 private:
  friend class Args;
  ArgOption(CLI::Option* option, OptionRow* facts) : option_(option), facts_(facts) {}
  CLI::Option* option_;
  OptionRow* facts_;
};

class Args {
 public:
  // `command_line`: as it was typed, program first.
  Args(const Verb&, std::vector<std::string> command_line);
  Args(Args&&) noexcept;
  ~Args();

  // `names`: "-o,--out", or a word for a positional. `value` is what holds without the option, and has to live until
  // read() is done. T: std::string, std::filesystem::path, int, double, std::optional<double>, or a vector of strings
  // or of ints, which takes several values.
  template <class T>
  ArgOption option(const std::string& names, T& value, const std::string& help);
  void flag(const std::string& names, bool& value, const std::string& help);
  // An option with an optional word. When it is there, its answer is printed and nothing runs.
  void question(const std::string& name, const char* value_name, const std::string& help,
                std::function<std::string(const std::string& word)> answer);
  // Called after everything has been read, in order; may throw ConfigError. Not with a question.
  void afterwards(std::function<void()>);

  const std::string& verb() const;     // its name
  const std::string& example() const;  // what to type, for messages
  const std::vector<std::string>& command_line() const;

  // Fills what was declared from the words behind the verb. Returns what is to be printed instead of running: help, an
  // answer. Throws ConfigError: unknown or missing options, values out of range.
  std::optional<std::string> read(std::vector<std::string> words, GlobalOptions&);
  std::string help() const;
  std::vector<OptionRow> rows() const;

 private:
  struct State;
  ArgOption declared(CLI::Option*);
  std::unique_ptr<State> state_;
};

}  // namespace condenser::cli
