// learned.json: from a card and back, and what differs between two.

#include "cli/learned.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

#include "condenser/core/text.hpp"

namespace condenser::cli {

using core::config::Reader;

namespace {

constexpr size_t kNamesInAMessage = 24;

// The options of a front-end by name, from their own list of options.
Settings settings_of(const data::AudioOptions& audio) {
  Reader reader = Reader::empty();
  data::AudioOptions copy = audio;
  data::read_options(reader, copy);
  Settings settings;
  for (const auto& [path, value, decides] : reader.settings()) settings[path] = value;
  return settings;
}

data::AudioOptions audio_of(const Settings& settings) {
  std::vector<std::string> assignments;
  for (const auto& [path, value] : settings) assignments.push_back(path + "=" + value);
  Reader reader = Reader::from_text("", "learned.json, key front_end", assignments);
  data::AudioOptions audio;
  data::read_options(reader, audio);
  reader.finish();
  return audio;
}

template <class T, class Text>
std::string list_of(const std::vector<T>& values, Text text) {
  std::vector<std::string> parts;
  for (const T& value : values) parts.push_back(text(value));
  return core::join(parts);
}

std::string numbers(const std::vector<double>& values) { return list_of(values, core::number); }

std::string names(const std::vector<std::string>& classes) {
  std::vector<std::string> shown;
  for (size_t k = 0; k < std::min(classes.size(), kNamesInAMessage); ++k) shown.push_back(core::printable(classes[k]));
  if (classes.size() > shown.size()) shown.push_back("and " + std::to_string(classes.size() - shown.size()) + " more");
  return std::to_string(classes.size()) + " (" + core::join(shown) + ")";
}

std::vector<std::string> missing_from(const std::vector<std::string>& all, const std::vector<std::string>& some) {
  std::vector<std::string> missing;
  for (const std::string& name : all)
    if (std::find(some.begin(), some.end(), name) == some.end()) missing.push_back(core::printable(name));
  if (missing.size() > kNamesInAMessage) missing.resize(kNamesInAMessage);
  return missing;
}

std::string class_difference(const std::vector<std::string>& there, const std::vector<std::string>& now) {
  std::string text = "classes: " + names(there) + " there, " + names(now) + " now";
  const auto gone = missing_from(there, now), added = missing_from(now, there);
  if (!gone.empty()) text += "; gone: " + core::join(gone);
  if (!added.empty()) text += "; new: " + core::join(added);
  if (gone.empty() && added.empty()) text += "; the same in another order";
  return text;
}

std::string form_of(const Learned& l) {
  if (l.reconstructs.value_or(false)) return "its own values again";
  return l.several_classes ? "any number of classes" : "one class";
}

}  // namespace

Learned learned_of(const data::Card& card, const train::TrainOptions& options) {
  Learned l;
  l.data = card.name;
  l.format = card.format;
  l.classes = card.classes;
  l.several_classes = card.multi_label;
  l.independent_classes = train::independent_classes(options, card.multi_label);
  if (train::reconstructs(options)) l.reconstructs.emplace(true);
  l.shape = {card.shape.c, card.shape.h, card.shape.w};
  l.mean = card.normalization.mean;
  l.std = card.normalization.std;
  if (card.format == "wav_folder") l.front_end = settings_of(card.audio);
  l.scale = card.scale;
  l.zero_point = card.zero_point;
  return l;
}

data::Card card_of(const Learned& l) {
  if (l.shape.size() != 3 || l.mean.size() != l.std.size() || static_cast<int64_t>(l.mean.size()) != l.shape[0])
    throw core::Error("learned.json: a shape of " + std::to_string(l.shape.size()) + " numbers, " +
                      std::to_string(l.mean.size()) + " means and " + std::to_string(l.std.size()) +
                      " deviations; expected channels, height, width, and one of both for each channel");
  data::Card card;
  card.name = l.data;
  card.format = l.format;
  card.classes = l.classes;
  card.multi_label = l.several_classes;
  card.shape = {l.shape[0], l.shape[1], l.shape[2]};
  card.normalization = {l.mean, l.std};
  if (!l.front_end.empty()) card.audio = audio_of(l.front_end);
  card.scale = l.scale;
  card.zero_point = static_cast<int>(l.zero_point);
  return card;
}

std::string difference(const Learned& there, const Learned& now) {
  std::vector<std::string> parts;
  const auto differ = [&](const std::string& what, const std::string& a, const std::string& b) {
    if (a != b) parts.push_back(what + ": " + core::printable(a) + " there, " + core::printable(b) + " now");
  };
  if (there.classes != now.classes) parts.push_back(class_difference(there.classes, now.classes));
  differ("an item has", form_of(there), form_of(now));
  const auto extent = [](int64_t n) { return std::to_string(n); };
  differ("shape of an item", list_of(there.shape, extent), list_of(now.shape, extent));
  differ("mean", numbers(there.mean), numbers(now.mean));
  differ("std", numbers(there.std), numbers(now.std));
  for (const auto& [name, value] : there.front_end) {
    const auto found = now.front_end.find(name);
    differ(name, value, found == now.front_end.end() ? "nothing" : found->second);
  }
  for (const auto& [name, value] : now.front_end)
    if (!there.front_end.contains(name)) differ(name, "nothing", value);
  differ("scale", core::number(there.scale), core::number(now.scale));
  differ("zero point", std::to_string(there.zero_point), std::to_string(now.zero_point));
  return core::join(parts, "; ");
}

Settings meaning_of(const Learned& l) {
  const auto quoted = [](const std::string& name) { return core::printable(name); };
  Settings s{{"data.classes", list_of(l.classes, quoted)},
             {"data.labels", form_of(l)},
             {"data.shape", list_of(l.shape, [](int64_t n) { return std::to_string(n); })},
             {"data.mean", numbers(l.mean)},
             {"data.std", numbers(l.std)},
             {"data.scale", core::number(l.scale)},
             {"data.zero_point", std::to_string(l.zero_point)}};
  for (const auto& [name, value] : l.front_end) s["data." + name] = value;
  return s;
}

Learned as_noted(Learned l, const Settings& settings) {
  const auto numbers_of = [&](const char* name) {
    std::string text = settings.at(name);
    std::ranges::replace(text, ',', ' ');
    std::istringstream words(text);
    return std::vector<double>(std::istream_iterator<double>(words), {});
  };
  l.shape.clear();
  for (const double extent : numbers_of("data.shape")) l.shape.push_back(std::llround(extent));
  l.mean = numbers_of("data.mean");
  l.std = numbers_of("data.std");
  for (auto& [name, value] : l.front_end) value = settings.at("data." + name);
  return l;
}

}  // namespace condenser::cli
