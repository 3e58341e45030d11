// Lines of the live view. Nothing here knows of terminals or stores.

#include "cli/watch_view.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/progress.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/trial_table.hpp"

namespace condenser::cli {

using search::Trial;
using search::TrialState;

namespace {

constexpr size_t kLatest = 20;  // trials that say how long one takes

// Whole characters, as many as fit.
std::string cut(const std::string& text, size_t columns) {
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    core::next_code_point(text, at);
    if (core::display_width(text.substr(0, at)) > columns) break;
    end = at;
  }
  return text.substr(0, end);
}

std::string fate(const Trial& trial, const search::Objective& objective) {
  if (trial.state == TrialState::Refused) {
    for (const search::Verdict& v : trial.verdicts)
      if (!v.passed) return "refused: " + v.rule + ": " + v.value + "; limit " + v.limit;
    return "refused";
  }
  if (trial.same_as >= 0) return "the same network as trial " + std::to_string(trial.same_as);
  if (trial.state == TrialState::Failed) return "failed: " + trial.error;
  std::string text = search::goals_text(trial, objective) + ", " + search::text_of(trial, "params") + ", " +
                     search::text_of(trial, "macs") + ", " + duration_text(trial.seconds);
  if (!trial.full()) text += ", rung " + std::to_string(trial.rung);
  return text + (trial.feasible() ? "" : ", does not pass the gate");
}

std::string bar(double fraction, size_t length) {
  const auto full = static_cast<size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(length)));
  return "[" + std::string(full, '#') + std::string(length - full, '.') + "]";
}

std::string count(int64_t n) { return core::thousands(n); }

}  // namespace

WatchFacts watch_facts(const std::vector<Trial>& trials, const search::Objective& objective, int64_t wanted,
                       size_t last) {
  WatchFacts f;
  f.objective = objective;
  f.wanted = wanted;
  f.proposals = static_cast<int64_t>(trials.size());
  std::vector<double> seconds;
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const Trial& trial : trials) {
    f.refused += trial.state == TrialState::Refused;
    f.copies += trial.same_as >= 0;
    if (trial.same_as >= 0) continue;
    f.failed += trial.state == TrialState::Failed;
    f.waiting += trial.state == TrialState::Proposed;
    if (trial.state == TrialState::Running) f.running.push_back(trial);
    if (!trial.examined() || !trial.finished()) continue;
    f.seconds += trial.seconds;
    if (!trial.full()) continue;
    ++f.examined;
    seconds.push_back(trial.seconds);
    if (const auto merit = search::merit(trial, objective)) best = std::isnan(best) ? *merit : std::max(best, *merit);
    f.best.push_back(best);
  }
  if (seconds.size() > kLatest) seconds.erase(seconds.begin(), seconds.end() - kLatest);
  if (!seconds.empty()) f.seconds_each = core::median(seconds);
  for (auto trial = trials.rbegin(); trial != trials.rend() && f.last.size() < last; ++trial)
    if (trial->finished()) f.last.push_back(*trial);
  if (const Trial* winner = search::best(trials, objective)) f.winner = *winner;
  f.refusals = search::refusals_by_rule(trials);
  return f;
}

double seconds_left(const WatchFacts& f) {
  const auto rest = static_cast<double>(std::max<int64_t>(0, f.wanted - f.examined));
  return rest * f.seconds_each / static_cast<double>(std::max<size_t>(1, f.running.size()));
}

std::string sparkline(const std::vector<double>& values, size_t length, bool unicode) {
  static const char* const kBlocks[] = {"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
  static const char* const kAscii[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double v : values)
    if (std::isfinite(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  std::string line;
  const size_t bars = std::min(length, values.size());
  for (size_t k = 0; k < bars; ++k) {
    const double v = values[(k + 1) * values.size() / bars - 1];  // the last of its part: the best so far
    const double share = high > low ? (v - low) / (high - low) : 1;
    const size_t height = std::isfinite(v) ? static_cast<size_t>(std::lround(share * 7)) : 0;
    line += std::isfinite(v) ? (unicode ? kBlocks : kAscii)[height] : " ";
  }
  return line;
}

std::vector<std::string> watch_lines(const WatchFacts& f, const std::string& heading, size_t columns, bool unicode) {
  std::vector<std::string> lines{heading};
  const double done = f.wanted > 0 ? static_cast<double>(f.examined) / static_cast<double>(f.wanted) : 0;
  std::string how_far = bar(done, 24) + " " + count(f.examined) + " of " + count(f.wanted) + " examined";
  if (f.seconds_each > 0)
    how_far += ", " +
               core::significant(60 / f.seconds_each * static_cast<double>(std::max<size_t>(1, f.running.size())), 2) +
               " a minute";
  if (const double left = seconds_left(f); left > 0) how_far += ", " + duration_text(left) + " left";
  lines.push_back(how_far);
  lines.push_back(count(f.proposals) + " proposals: " + count(f.refused) + " refused, " + count(f.copies) +
                  " copies, " + count(f.failed) + " failed" +
                  (f.waiting > 0 ? ", " + count(f.waiting) + " waiting" : "") + "; " + duration_text(f.seconds) +
                  " of examination");
  if (f.winner)
    lines.push_back("best: trial " + std::to_string(f.winner->index) + ", " + fate(*f.winner, f.objective));
  else
    lines.push_back("best: none passes every rule yet");
  if (!f.best.empty())
    lines.push_back("      " + sparkline(f.best, columns > 8 ? std::min<size_t>(columns - 8, 60) : 1, unicode));
  std::vector<std::pair<std::string, int64_t>> rules(f.refusals.begin(), f.refusals.end());
  std::stable_sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> words;
  for (const auto& [rule, refused] : rules) words.push_back(rule + " " + count(refused));
  if (!words.empty()) lines.push_back("refused by " + core::join(words));
  for (const Trial& trial : f.running)
    lines.push_back("now: trial " + std::to_string(trial.index) + (trial.worker.empty() ? "" : " on " + trial.worker) +
                    (trial.full() ? "" : ", rung " + std::to_string(trial.rung)) +
                    (trial.by.empty() ? "" : ", by " + trial.by));
  if (!f.last.empty()) lines.push_back("latest:");
  for (const Trial& trial : f.last)
    lines.push_back("  trial " + std::to_string(trial.index) + ": " + fate(trial, f.objective));
  for (std::string& line : lines) line = cut(core::printable(line), columns);
  return lines;
}

}  // namespace condenser::cli
