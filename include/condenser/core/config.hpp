#pragma once
// Strict, typed reading of YAML run files. One line per option: key, range, help.
// yaml-cpp is private to config.cpp. Leaves the meaning of options to the modules that own them.
//
// Accepted is plain YAML: one document of mappings, lists and scalars, at most 4 MiB and 32 levels deep. Anchors,
// aliases, tags and repeated keys are refused. Quoted scalars are text, never numbers; booleans are true and false.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "condenser/core/error.hpp"

namespace condenser::core::config {

// One documented option, collected while a Reader is used (for --help-config and reference tables).
struct Option {
  std::string path;           // dotted: train.batch_size
  std::string type;           // integer, number, boolean, text, choice, list, section
  std::string default_value;  // as YAML text
  std::string expected;       // "1..4096", "one of sgd, adamw", ...
  std::string help;
};

// Whether an option decides what comes out, or only how fast, how safely or where: a run goes on although options that
// decide nothing have changed.
enum class Decides { Results, Nothing };

// An option and the value in force, as YAML text.
struct Setting {
  std::string path;
  std::string value;
  Decides decides = Decides::Results;
};

struct Tree;  // parsed document and bookkeeping; private to config.cpp

// A view of one mapping of the document. Each accessor overwrites `value` when the key is present, checks the range,
// remembers the key as known, and records help text and the value in force. Accessors throw ConfigError
// "file:line: train.batch_size = 0; expected 1..4096". Readers are cheap handles onto one shared document.
class Reader {
 public:
  // `overrides`: "dotted.key=value" from the command line; they win over the file and are reported as
  // "command line: train.epochs = x; expected ...". A value is a scalar as typed (or quoted), or a flow list [1, 2].
  // Missing sections are created; of two overrides of one key the later wins.
  static Reader from_file(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});
  // The same for a resolved configuration of an earlier call: paths in it are absolute and stay as they are although
  // nothing may lie there any more. Overrides are checked as ever.
  static Reader from_resolved_file(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});
  static Reader from_text(const std::string& yaml, const std::string& name,
                          const std::vector<std::string>& overrides = {});
  static Reader empty();  // no document: every option keeps its default; used to collect help

  // Sub-mapping. Absent: an empty mapping, so that defaults apply. A scalar value, or a key `from` inside the mapping,
  // names a YAML fragment (see find_file) that is read first; keys beside `from` win, at every depth; lists are
  // replaced. One level only: a fragment has no `from`. With `help`, the section itself is listed among the options.
  Reader section(const std::string& key, const std::string& help = "");
  // A list of mappings; absent: empty.
  std::vector<Reader> sections(const std::string& key, const std::string& help);

  bool has(const std::string& key) const;
  std::vector<std::string> keys() const;  // present keys, file order (for free-form maps)

  void integer(const std::string& key, int& value, int64_t min, int64_t max, const std::string& help,
               Decides = Decides::Results);
  void integer(const std::string& key, int64_t& value, int64_t min, int64_t max, const std::string& help,
               Decides = Decides::Results);
  void integer(const std::string& key, uint64_t& value, uint64_t min, uint64_t max, const std::string& help,
               Decides = Decides::Results);
  void number(const std::string& key, double& value, double min, double max, const std::string& help,
              Decides = Decides::Results);  // refuses NaN and infinity
  void boolean(const std::string& key, bool& value, const std::string& help, Decides = Decides::Results);
  void text(const std::string& key, std::string& value, const std::string& help, Decides = Decides::Results);
  void choice(const std::string& key, std::string& value, const std::vector<std::string>& allowed,
              const std::string& help, Decides = Decides::Results);
  void integers(const std::string& key, std::vector<int>& value, int64_t min, int64_t max, const std::string& help);
  void numbers(const std::string& key, std::vector<double>& value, double min, double max, const std::string& help);
  void texts(const std::string& key, std::vector<std::string>& value, const std::string& help);
  void choices(const std::string& key, std::vector<std::string>& value, const std::vector<std::string>& allowed,
               const std::string& help);
  // A file or folder that must exist, made absolute with find_file from the file that names it: a fragment for its own
  // keys, the working directory for the command line, the run file for a default that is not empty. Empty text
  // means none. A path decides nothing by itself: whoever keeps results adds what lies there.
  void existing_path(const std::string& key, std::filesystem::path& value, const std::string& help);

  // "file:line: key = found; expected ..." for checks that only the owner of the option can make.
  [[nodiscard]] ConfigError error(const std::string& key, const std::string& expected) const;
  // "file:line" of this mapping or of a key in it.
  std::string where(const std::string& key = "") const;

  // Rejects keys nobody asked for, in this mapping and all below it, naming the nearest known key; also overrides that
  // matched nothing.
  void finish() const;

  std::vector<Option> options() const;  // everything asked for so far in the whole document, in order
  std::vector<Setting> settings()
      const;  // of options asked for so far in the whole document, in order; lists of mappings with numbers: a.b[0].c
  std::string resolved_yaml() const;  // the values in force after defaults, file and overrides, of the whole document

 private:
  Reader(std::shared_ptr<Tree> tree, int node);
  std::shared_ptr<Tree> tree_;
  int node_;
  friend struct Tree;
};

// Looks a relative path up beside `from`, then in each parent folder of `from`, then in the working directory, so that
// runs work from any folder of a checkout. Throws ConfigError listing the places tried.
std::filesystem::path find_file(const std::filesystem::path& path, const std::filesystem::path& from);

// The candidate with the smallest edit distance, or "" when none is near (distance <= 2 or a third of the length).
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace condenser::core::config
