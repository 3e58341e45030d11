#pragma once
// What keeps a text from being XML.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace condenser::tests {

// Well-formed as far as the writers could go wrong: one root, tags closed in order, quotes and entities in their
// places.
inline std::string xml_fault(const std::string& text) {
  std::vector<std::string> open;
  bool root = false;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '<') {
      if (text[at] == '>' || (open.empty() && text[at] != '\n')) return "text outside";
      if (text[at] == '&') {
        const size_t end = text.find(';', at);
        const std::set<std::string> known{"&lt;", "&gt;", "&amp;", "&quot;"};
        if (end == std::string::npos || !known.contains(text.substr(at, end - at + 1))) return "entity";
      }
      if (static_cast<unsigned char>(text[at]) < 0x20 && text[at] != '\n') return "control character";
      ++at;
      continue;
    }
    const size_t end = text.find('>', at);
    if (end == std::string::npos) return "open tag";
    const std::string tag = text.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos || std::count(tag.begin(), tag.end(), '"') % 2 != 0) return "in " + tag;
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return "closing " + tag;
      open.pop_back();
    } else {
      if (open.empty() && root) return "second root";
      root = true;
      if (tag.back() != '/') open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

}  // namespace condenser::tests
