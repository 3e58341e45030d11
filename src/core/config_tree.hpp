#pragma once
// The document behind config::Reader: nodes with their origin, and what was asked of them. Private to config*.cpp.
// config.cpp builds and composes it from YAML, config_reader.cpp reads it, config_write.cpp prints it.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/core/config.hpp"

namespace condenser::core::config {

enum class Kind { Null, Scalar, List, Map };

struct Source {
  std::string name;                                            // in messages
  std::filesystem::path path;                                  // relative paths in it are looked up from here
  enum { Main, Fragment, CommandLine, Resolved } role = Main;  // Resolved: Main, written by an earlier call
};

struct Entry {
  std::string key;
  int node;
};

// A key that was asked for: a value (its YAML text is the value in force), a section or a list of sections.
struct Asked {
  enum Form { Value, Section, Sections };
  std::string key;
  Form form = Value;
  std::string text;
  std::vector<int> sections;
  Decides decides = Decides::Results;
};

struct Node {
  Kind kind = Kind::Null;
  std::string text;            // Scalar
  bool quoted = false;         // Scalar: quoted text is never a number
  std::vector<Entry> entries;  // Map, in file order
  std::vector<int> items;      // List
  int source = 0;
  int line = 0;  // of the key for values of a mapping; 0: unknown
  // Known once a Reader has come here:
  std::string path;         // "search.gates[1]", for messages
  std::string option_path;  // "search.gates[]", for the reference
  std::vector<Asked> asked;
};

struct Tree {
  std::vector<Source> sources;
  std::vector<Node> nodes;  // 0 is the root
  std::vector<Option> options;
  bool without_document = false;  // Reader::empty(): defaults are not looked up in the file system

  int add(Node node);
  int find(int map, const std::string& key) const;  // -1: absent
  Asked& ask(int map, const std::string& key, Asked::Form form);
  std::string where(int node) const;                           // "file:line"
  std::string path_of(int map, const std::string& key) const;  // dotted
  const std::filesystem::path& folder_clue(int node) const;    // where relative paths in this node start from
  ConfigError error(int node, const std::string& path, const std::string& expected) const;

  // Replaces a scalar or a mapping with `from` by the fragment it names, merged with the keys beside it.
  int compose(int node, const std::string& path);

  static std::shared_ptr<Tree> load(const std::string& yaml, const Source& source,
                                    const std::vector<std::string>& overrides);
};

std::string found_text(const Tree& tree, int node);      // how a value is quoted in a message
std::string yaml_text(const std::string& text);          // plain or quoted, so that it reads back as the same text
std::string yaml_list(const std::vector<std::string>&);  // of YAML texts: "[1, 2]"
std::string yaml_number(double value);                   // shortest text that reads back as the same double
std::string yaml_document(const Tree& tree, int node);   // everything asked for, nested

}  // namespace condenser::core::config
