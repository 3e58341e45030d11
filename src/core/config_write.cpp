// Values and documents as YAML text that reads back as the same values, and short quotations for messages.

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/config_tree.hpp"

namespace condenser::core::config {
namespace {

bool looks_like_another_type(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  static const char* kWords[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

bool plain_is_safe(const std::string& text) {
  if (text.empty() || text.back() == ' ' || looks_like_another_type(text)) return false;
  if (!std::isalpha(static_cast<unsigned char>(text[0])) && text[0] != '_' && text[0] != '/') return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 &&
           (std::isalnum(c) || std::string_view("_./+- ").find(static_cast<char>(c)) != std::string_view::npos);
  });
}

// Characters beyond ASCII that YAML treats as line breaks or does not allow in the open: C1 controls, U+2028, U+2029,
// U+FEFF. The length of the one at `at`, or 0.
size_t special_length(const std::string& text, size_t at, unsigned& code) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return code = byte(1), 2;
  if (byte(0) == 0xE2 && byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9))
    return code = 0x2028 + byte(2) - 0xA8, 3;
  if (byte(0) == 0xEF && byte(1) == 0xBB && byte(2) == 0xBF) return code = 0xFEFF, 3;
  return 0;
}

std::string hex_escape(const char* prefix, unsigned code, int digits) {
  std::string out = prefix;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[(code >> shift) & 15];
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    unsigned code = 0;
    if (const size_t length = special_length(text, i, code)) {
      out += hex_escape("\\u", code, 4);
      i += length - 1;
    } else if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, text[i]);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      out += hex_escape("\\x", c, 2);
    } else {
      out += text[i];
    }
  }
  out += '"';
  return out;
}

void write_mapping(const Tree& tree, int map, const std::string& indent, std::string& out);

// Each item is a mapping whose first key gets the dash.
void write_sections(const Tree& tree, const Asked& asked, const std::string& indent, std::string& out) {
  for (int section : asked.sections) {
    std::string body;
    write_mapping(tree, section, indent + "  ", body);
    if (body.empty()) body = indent + "  {}\n";
    body[indent.size()] = '-';
    out += body;
  }
}

void write_mapping(const Tree& tree, int map, const std::string& indent, std::string& out) {
  for (const Asked& asked : tree.nodes[map].asked) {
    out += indent + yaml_text(asked.key) + ":";
    std::string body;
    if (asked.form == Asked::Section)
      for (int section : asked.sections) write_mapping(tree, section, indent + "  ", body);
    if (asked.form == Asked::Sections) write_sections(tree, asked, indent + "  ", body);
    if (asked.form == Asked::Value)
      out += " " + asked.text + "\n";
    else if (body.empty())
      out += asked.form == Asked::Section ? " {}\n" : " []\n";
    else
      out += "\n" + body;
  }
}

std::string shortened(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (text.size() <= 60) return text;
  size_t end = 57;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not inside a UTF-8 character
  return text.substr(0, end) + "...";
}

}  // namespace

std::string yaml_text(const std::string& text) { return plain_is_safe(text) ? text : quoted(text); }

std::string yaml_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out.append(out.size() > 1 ? ", " : "").append(item);
  out += "]";
  return out;
}

std::string yaml_number(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string found_text(const Tree& tree, int id) {
  const Node& node = tree.nodes[id];
  switch (node.kind) {
    case Kind::Null: return "nothing";
    case Kind::Map: return "a mapping";
    case Kind::Scalar: return shortened(node.quoted ? "\"" + node.text + "\"" : node.text);
    case Kind::List: break;
  }
  std::vector<std::string> items;
  for (size_t i = 0; i < node.items.size() && i < 20; ++i)
    items.push_back(tree.nodes[node.items[i]].kind == Kind::List ? "a list" : found_text(tree, node.items[i]));
  return shortened(yaml_list(items));
}

std::string yaml_document(const Tree& tree, int node) {
  std::string out;
  write_mapping(tree, node, "", out);
  return out.empty() ? "{}\n" : out;
}

}  // namespace condenser::core::config
