#include "condenser/core/html.hpp"

#include <algorithm>
#include <cstdint>

#include "condenser/core/hash.hpp"

namespace condenser::core {
namespace {

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  return bytes;
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) three = three << 8 | (k < count ? static_cast<uint8_t>(bytes[at + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string script_source(std::string_view script) {
  return "'sha256-" + base64(bytes_of_hex(sha256_hex(script))) + "'";
}

// The colours are those of the pictures (report/svg.cpp). Numbers stand below each other.
std::string_view page_style() {
  return R"css(
:root { color-scheme: light dark; --paper: #f3f5f7; --sheet: #ffffff; --ink: #1f2933; --muted: #5b6875; --line: #dde3e9;
  --accent: #216c9f; --panel: #f7f9fa; --warn: #8a3d0b; --warn-sheet: #fdf1e7; --warn-line: #f3c9a5; }
@media (prefers-color-scheme: dark) { :root { --paper: #0e1216; --sheet: #14191f; --ink: #e4e9ee; --muted: #9aa7b4;
  --line: #2c343d; --accent: #7db8e0; --panel: #1b2128; --warn: #f3b183; --warn-sheet: #2a1c12; --warn-line: #6b4423; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif;
  overflow-wrap: anywhere; }
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 21px; line-height: 1.3; margin: 0 0 14px; }
h3 { font-size: 16px; margin: 26px 0 10px; }
p { margin: 0 0 14px; max-width: 75ch; }
.sub { color: var(--muted); margin-bottom: 22px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 12px; margin: 0 0 20px; padding: 0; }
.fact { background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; margin: 0; }
.fact dt { color: var(--muted); font-size: 13px; }
.fact .value { font-size: 23px; font-weight: 650; line-height: 1.3; margin: 2px 0; font-variant-numeric: tabular-nums; }
.fact .detail { color: var(--muted); font-size: 13px; margin: 0; }
.warnings { background: var(--warn-sheet); border: 1px solid var(--warn-line); border-radius: 12px; padding: 14px 18px; margin: 0 0 20px; }
.warnings h2 { font-size: 16px; color: var(--warn); margin: 0 0 6px; }
.warnings ul { margin: 0; padding-left: 20px; }
.warnings li { margin: 4px 0; }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: 14px; padding: 22px 24px 10px; margin: 0 0 18px;
  scroll-margin-top: 12px; }
ul { margin: 0 0 16px; padding-left: 22px; }
a { color: var(--accent); }
footer { color: var(--muted); font-size: 13px; padding-bottom: 36px; }
@media (max-width: 560px) { header, main, footer { padding-left: 12px; padding-right: 12px; } header { padding-top: 22px; }
  section { padding: 16px 14px 4px; border-radius: 12px; } h1 { font-size: 25px; } .fact .value { font-size: 20px; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px; } .fact { padding: 10px 12px; } }
)css";
}

}  // namespace condenser::core
