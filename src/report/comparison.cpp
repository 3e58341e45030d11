// The table of a comparison and what stands below it.

#include "condenser/report/comparison.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/text.hpp"

namespace condenser::report {

using core::cell;
using core::Cell;
using nlohmann::ordered_json;

namespace {

constexpr const char* kMethod =
    "Speeds: median images/s of float32 inference as deployed (batch norm folded, random weights) with LibTorch, one "
    "library call per node for every network, in planes or channels-last, whichever was faster for the network while "
    "warming up. Networks take turns in every round. Spread: distance of the quartiles, in percent of the median.";
constexpr const char* kNotTuned =
    "Claims are printed as published, none was reproduced, and nothing here is tuned to agree with them.";

// What the AttendNeXt abstract claims against networks that may be in the comparison (arXiv 2208.06980).
struct Claim {
  const char* other;
  const char* text;
};
constexpr Claim kClaims[] = {
    {"fbnet_c", "more than 10 times its throughput on an embedded ARM processor"},
    {"mobileone_s1", "more than 10 times its throughput on an embedded ARM processor, and smaller"},
    {"mobilenet_v3_large", "more than 1.37 times smaller, and faster"},
};

std::string fixed(double value, int digits) { return cell(value, digits).text; }

Cell count_cell(std::optional<int64_t> value) { return value ? cell(*value) : core::empty_cell(); }

// All digits for programs, the unit's for people.
Cell scaled_cell(std::optional<int64_t> value, double unit, int digits) {
  if (!value) return core::empty_cell();
  return {std::to_string(*value), fixed(static_cast<double>(*value) / unit, digits)};
}

Cell number_cell(std::optional<double> value, int digits) { return value ? cell(*value, digits) : core::empty_cell(); }

Cell text_cell(const std::string& text) { return text.empty() ? core::empty_cell() : cell(text); }

std::optional<double> netscore_of(const ComparedNetwork& n) {
  if (!n.accuracy_percent || !n.params || !n.macs) return std::nullopt;
  return arch::netscore(*n.accuracy_percent, *n.params, *n.macs);
}

double spread_percent(const core::Quartiles& q) { return q.median > 0 ? 100 * (q.q3 - q.q1) / q.median : 0; }

// Speeds have no more digits than that, and files of results should not pretend so.
double five_digits(double value) { return std::strtod(core::significant(value, 5).c_str(), nullptr); }

int digits_of(double speed) { return speed < 10 ? 2 : speed < 100 ? 1 : 0; }

std::vector<Cell> speed_cells(const ComparedSpeed* s, const ComparedSpeed* first) {
  if (s == nullptr) return std::vector<Cell>(11, core::empty_cell());
  const core::Quartiles& q = s->images_per_s;
  const auto speed = [&](double value) { return cell(five_digits(value), digits_of(value)); };
  // Smallest and largest, quartiles, and rounds are for programs: people read the spread.
  return {cell(s->device),
          cell(s->batch),
          s->threads > 0 ? cell(s->threads) : core::empty_cell(),
          speed(q.median),
          cell(five_digits(spread_percent(q)), 1),
          first != nullptr && first->images_per_s.median > 0
              ? cell(five_digits(q.median / first->images_per_s.median), 2)
              : core::empty_cell(),
          cell(s->layout),
          speed(q.min),
          speed(q.q1),
          speed(q.q3),
          speed(q.max)};
}

// `setting` is an index of `speeds`; -1: none.
std::vector<Cell> row_of(const Comparison& c, const ComparedNetwork& n, int setting) {
  const auto speed = [&](const ComparedNetwork& of) {
    return setting < 0 || of.speeds.empty() ? nullptr : &of.speeds[static_cast<size_t>(setting)];
  };
  const ComparedSpeed* own = speed(n);
  std::vector<Cell> row{cell(n.name),
                        text_cell(n.input),
                        count_cell(n.outputs),
                        scaled_cell(n.params, 1e6, 3),
                        scaled_cell(n.macs, 1e6, 1),
                        scaled_cell(n.constant_bytes, 1024, 0),
                        scaled_cell(n.arena_bytes, 1024, 0),
                        number_cell(n.accuracy_percent, 2),
                        number_cell(n.int8_accuracy_percent, 2),
                        number_cell(netscore_of(n), 2)};
  for (Cell& value : speed_cells(own, speed(c.networks.front()))) row.push_back(std::move(value));
  row.push_back(own ? cell(own->rounds) : core::empty_cell());
  row.push_back(text_cell(n.note));
  return row;
}

// Columns of a program's table that would crowd a page: the notes are printed below, the quartiles are in the spread.
bool for_programs_only(const std::string& key) {
  static const std::vector<std::string> keys{
      "input",           "outputs",          "images_per_s_min", "images_per_s_q1",
      "images_per_s_q3", "images_per_s_max", "rounds",           "note"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string to_text(const ComparedSpeed& s) {
  const std::string batch = "batch " + std::to_string(s.batch) + ", ";
  if (s.threads == 0) return batch + s.device;
  return batch + std::to_string(s.threads) + (s.threads == 1 ? " thread" : " threads");
}

std::string hardware_line(const Hardware& h) {
  std::string line =
      "Machine: " + h.cpu + ", " + std::to_string(h.hardware_threads) + " hardware threads; " + h.compiler;
  if (h.libtorch.empty()) return line;
  return line + "; " + h.libtorch + "; threads wait " +
         (h.omp_wait_policy.empty() ? "as OpenMP chooses" : h.omp_wait_policy + "ly") + "; load before measuring " +
         fixed(h.load, 2);
}

std::string measured_against(const ComparedNetwork& ours, const ComparedNetwork& other) {
  std::string text;
  for (size_t i = 0; i < std::min(ours.speeds.size(), other.speeds.size()); ++i)
    text += (text.empty() ? "throughput " : ", ") +
            fixed(ours.speeds[i].images_per_s.median / other.speeds[i].images_per_s.median, 2) + " times (" +
            to_text(ours.speeds[i]) + ")";
  if (text.empty()) text = "throughput not measured";
  if (ours.params && other.params)
    text += "; " + fixed(static_cast<double>(*other.params) / static_cast<double>(*ours.params), 2) + " times smaller";
  return text;
}

// The networks of the line of work that makes the claims.
std::vector<const ComparedNetwork*> claimants(const Comparison& c) {
  std::vector<const ComparedNetwork*> found;
  for (const ComparedNetwork& n : c.networks)
    if (n.family == "DC-AC" && !n.claims.empty()) found.push_back(&n);
  return found;
}

struct Confrontation {
  std::string network, other, claim, here;
};

std::vector<Confrontation> confront(const Comparison& c) {
  std::vector<Confrontation> all;
  for (const ComparedNetwork* ours : claimants(c))
    for (const Claim& claim : kClaims)
      for (const ComparedNetwork& other : c.networks)
        if (other.name == claim.other)
          all.push_back({ours->name, claim.other, claim.text, measured_against(*ours, other)});
  return all;
}

std::vector<std::string> claims_lines(const Comparison& c) {
  std::vector<std::string> lines;
  for (const ComparedNetwork* ours : claimants(c)) lines.push_back("Claimed, " + ours->name + ": " + ours->claims);
  for (const Confrontation& f : confront(c))
    lines.push_back("AttendNeXt against " + f.other + ", claimed: " + f.claim + ". " + f.network + " here: " + f.here);
  if (!lines.empty()) lines.push_back(kNotTuned);
  return lines;
}

}  // namespace

core::Table comparison_table(const Comparison& c) {
  core::Table table{{{"name", "name", false},
                     {"input", "input", false},
                     {"outputs", "outputs"},
                     {"params", "params M"},
                     {"macs", "MACs M"},
                     {"constant_bytes", "flash KiB"},
                     {"arena_bytes", "RAM KiB"},
                     {"accuracy_percent", "float %"},
                     {"int8_accuracy_percent", "int8 %"},
                     {"netscore", "NetScore"},
                     {"device", "device", false},
                     {"batch", "batch"},
                     {"threads", "threads"},
                     {"images_per_s", "images/s"},
                     {"spread_percent", "spread %"},
                     {"ratio_to_first", "ratio"},
                     {"layout", "layout", false},
                     {"images_per_s_min", "min"},
                     {"images_per_s_q1", "q1"},
                     {"images_per_s_q3", "q3"},
                     {"images_per_s_max", "max"},
                     {"rounds", "rounds"},
                     {"note", "note", false}},
                    {}};
  size_t settings = 0;
  for (const ComparedNetwork& n : c.networks) settings = std::max(settings, n.speeds.size());
  for (size_t s = 0; s < settings; ++s)
    for (const ComparedNetwork& n : c.networks)
      if (!n.speeds.empty()) table.rows.push_back(row_of(c, n, static_cast<int>(s)));
  for (const ComparedNetwork& n : c.networks)
    if (n.speeds.empty()) table.rows.push_back(row_of(c, n, -1));
  return table;
}

core::Table for_people(const core::Table& table) {
  core::Table narrow;
  narrow.rows.resize(table.rows.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const bool said =
        std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) { return !row[c].text.empty(); });
    const bool one_device =
        table.columns[c].key == "device" &&
        std::none_of(table.rows.begin(), table.rows.end(), [&](const auto& row) { return row[c].text == "cuda"; });
    if (!said || one_device || for_programs_only(table.columns[c].key)) continue;
    narrow.columns.push_back(table.columns[c]);
    for (size_t r = 0; r < table.rows.size(); ++r) narrow.rows[r].push_back(table.rows[r][c]);
  }
  return narrow;
}

std::vector<std::string> comparison_lines(const Comparison& c) {
  std::vector<std::string> lines;
  for (const ComparedNetwork& n : c.networks)
    if (!n.note.empty()) lines.push_back(n.name + ": " + n.note);
  lines.push_back(
      "M: millions. Flash: int8 constants. RAM: int8 arena, input and output included. Accuracies are published top-1; "
      "NetScore is of "
      "the float one.");
  lines.push_back(hardware_line(c.hardware));
  lines.push_back(c.remedy.empty() ? kMethod : "No speeds: " + c.remedy);
  for (std::string& line : claims_lines(c)) lines.push_back(std::move(line));
  return lines;
}

std::string comparison_json(const Comparison& c) {
  const Hardware& h = c.hardware;
  ordered_json j{{"schema_version", 1},
                 {"hardware",
                  {{"cpu", h.cpu},
                   {"hardware_threads", h.hardware_threads},
                   {"load", h.load},
                   {"compiler", h.compiler},
                   {"libtorch", h.libtorch},
                   {"omp_wait_policy", h.omp_wait_policy}}},
                 {"seconds", c.seconds},
                 {"method", c.remedy.empty() ? kMethod : "not measured: " + c.remedy},
                 {"rows", ordered_json::parse(core::to_json(comparison_table(c)))},
                 {"claims", ordered_json::array()},
                 {"measured_beside_claims", ordered_json::array()}};
  for (const ComparedNetwork* n : claimants(c)) j["claims"].push_back({{"name", n->name}, {"claims", n->claims}});
  for (const Confrontation& f : confront(c))
    j["measured_beside_claims"].push_back(
        {{"name", f.network}, {"other", f.other}, {"claim", f.claim}, {"measured", f.here}});
  if (!j["claims"].empty()) j["claims_note"] = kNotTuned;
  return j.dump(2) + "\n";
}

std::string comparison_page(const Comparison& c, const std::string& format) {
  if (format == "json") return comparison_json(c);
  if (format == "csv") return core::to_csv(comparison_table(c));
  const bool markdown = format == "markdown";
  const core::Table table = for_people(comparison_table(c));
  std::string page = markdown ? core::to_markdown(table) : core::to_text(table);
  for (const std::string& line : comparison_lines(c)) page += (markdown ? "\n" : "") + line + "\n";
  return page;
}

}  // namespace condenser::report
