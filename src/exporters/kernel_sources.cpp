// Which kernel files an export needs: the kernels' own and, by reading their #include lines, the headers below.
#include "exporters/kernel_sources.hpp"

#include <algorithm>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"

namespace condenser::exporters {
namespace {

bool exists(const std::string& name) {
  return std::ranges::any_of(kernel_sources(), [&](const SourceText& source) { return source.name == name; });
}

// A header brings the source of its functions, where it has one.
void add_with_includes(const std::string& name, std::set<std::string>& files) {
  if (!files.insert(name).second) return;
  if (const std::string source = name.substr(0, name.size() - 1) + "c"; exists(source))
    add_with_includes(source, files);
  constexpr std::string_view kInclude = "#include \"";
  const std::string_view text = kernel_text(name);
  for (size_t at = text.find(kInclude); at != std::string_view::npos; at = text.find(kInclude, at)) {
    at += kInclude.size();
    add_with_includes(std::string(text.substr(at, text.find('"', at) - at)), files);
  }
}

constexpr std::string_view kMark = "cnd_";

bool in_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// A kernel is a function named like its source file. The front-end has several functions.
bool is_kernel(std::string_view name) { return exists(std::string(name) + ".c") || name.starts_with("cnd_frontend_"); }

}  // namespace

std::string kernel_set(std::span<const SourceText> sources) {
  std::string all;
  for (const SourceText& source : sources) {
    for (const std::string_view part : {source.name, source.text})
      all.append(std::to_string(part.size())).append(" ").append(part);
  }
  return core::sha256_hex(all).substr(0, 8);
}

std::string tag_kernels(std::string_view text, const std::string& tag) {
  std::string result;
  size_t done = 0;
  for (size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at)) {
    size_t end = at;
    while (end < text.size() && in_name(text[end])) ++end;
    const bool whole = at == 0 || !in_name(text[at - 1]);
    const bool called = end < text.size() && text[end] == '(';
    if (whole && called && is_kernel(text.substr(at, end - at))) {
      result.append(text.substr(done, end - done)).append("_").append(tag);
      done = end;
    }
    at = end;
  }
  return result.append(text.substr(done));
}

const std::string& kernel_version() {
  static const std::string version = [] {
    std::vector<SourceText> all;
    for (const std::span<const SourceText> sources : {kernel_sources(), front_end_sources()})
      all.insert(all.end(), sources.begin(), sources.end());
    return kernel_set(all);
  }();
  return version;
}

std::string_view kernel_text(const std::string& name) {
  return core::source_text(name.starts_with("cnd_frontend.") ? front_end_sources() : kernel_sources(), name);
}

std::set<std::string> kernel_files(const std::set<std::string>& kernels) {
  std::set<std::string> files;
  for (const std::string& kernel : kernels) add_with_includes("cnd_" + kernel + ".c", files);
  return files;
}

}  // namespace condenser::exporters
