#include "condenser/search/lesson.hpp"

#include <nlohmann/json.hpp>

#include "condenser/core/text.hpp"
#include "search/generators/pool.hpp"
#include "search/predictors/opinion.hpp"
#include "search/predictors/promise.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr size_t kSample = 500;  // of the space: features are scaled over them
constexpr size_t kFewest = 4;

// A study as its predictor sees it: what was measured, among networks of its space.
struct Seen {
  Seen(const Space& space, const Gate& gate, const std::vector<Trial>& trials, const Objective& objective,
       const std::vector<double>& rungs, const Catalogue* shared)
      : own(space, gate),
        catalogue(shared != nullptr ? *shared : own),
        past{&trials, std::ssize(trials), objective, {}, rungs},
        question{space, catalogue, past, rng},
        known(knowledge_of(question, kMostMeasured)),
        field(field_of()) {}

  core::Rng rng{0x6c6573736f6e};  // "lesson"
  const Catalogue own;
  const Catalogue& catalogue;
  StudyView past;
  Question question;
  Knowledge known;
  Field field;

 private:
  Field field_of() {
    if (const Catalogue::Whole* whole = catalogue.whole(kMostEnumerated)) return Field(*whole);
    Pool pool(question);
    pool.fill(kSample, "", [&] { return sample(question.space, rng); });
    return Field(known, {}, pool.members());
  }
};

int64_t with_value(const Knowledge& known) {
  return std::count_if(known.measured.begin(), known.measured.end(), [](const Measured& m) { return !m.failed; });
}

}  // namespace

std::string to_text(const Lesson& lesson) {
  return nlohmann::ordered_json{{"lengths", lesson.lengths}, {"signal", lesson.signal}, {"noise", lesson.noise},
                                {"weight", lesson.weight},   {"slopes", lesson.slopes}, {"networks", lesson.networks},
                                {"from", lesson.from}}
      .dump();
}

Lesson lesson_from_text(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    Lesson lesson;
    json.at("lengths").get_to(lesson.lengths);
    json.at("signal").get_to(lesson.signal);
    json.at("noise").get_to(lesson.noise);
    json.at("weight").get_to(lesson.weight);
    json.at("slopes").get_to(lesson.slopes);
    json.at("networks").get_to(lesson.networks);
    json.at("from").get_to(lesson.from);
    return lesson;
  } catch (const nlohmann::json::exception& e) {
    throw core::Error(std::string("study: what it has learned from others cannot be read: ") + e.what() +
                      "; expected what condenser wrote there");
  }
}

bool can_learn(const Objective& objective) { return !needs_promise(objective); }

Lesson lesson_of(const Space& space, const Gate& gate, const std::vector<Trial>& trials, const Objective& objective,
                 const std::vector<double>& rungs, const std::string& name, const Catalogue* catalogue) {
  const Seen seen(space, gate, trials, objective, rungs, catalogue);
  const int64_t networks = with_value(seen.known);
  if (networks < static_cast<int64_t>(kFewest))
    throw core::ConfigError(name + ": " + std::to_string(networks) + " networks have a value of " + objective.text() +
                            "; expected at least " + std::to_string(kFewest) + " to learn from");
  const FeatureTable& table = seen.field.table();
  const Learned learned = learned_of(seen.question, seen.known, seen.field);
  const VectorXd away = learned.fit.t - hyper_prior(table, nullptr).mean;
  const Index blocks = std::ssize(table.kinds);
  Lesson lesson{.networks = networks, .from = {name}};
  for (Index b = 0; b < blocks; ++b) lesson.lengths[block_name(table.kinds[static_cast<size_t>(b)])] = away(b);
  lesson.signal = away(blocks);
  lesson.noise = away(blocks + 1);
  lesson.weight = away(blocks + 2);
  for (size_t c = 0; c < table.columns.size(); ++c)
    lesson.slopes[linear_name(table.columns[c])] = learned.slopes(static_cast<Index>(c));
  return lesson;
}

Lesson together(const std::vector<Lesson>& lessons) {
  if (lessons.size() == 1) return lessons.front();
  // Of a name that only some have, over those.
  const auto means = [&](std::map<std::string, double> Lesson::*values) {
    std::map<std::string, double> sum, count;
    for (const Lesson& lesson : lessons) {
      for (const auto& [name, value] : lesson.*values) {
        sum[name] += static_cast<double>(lesson.networks) * value;
        count[name] += static_cast<double>(lesson.networks);
      }
    }
    for (auto& [name, value] : sum) value /= count[name];
    return sum;
  };
  Lesson all;
  for (const Lesson& lesson : lessons) {
    all.networks += lesson.networks;
    all.from.insert(all.from.end(), lesson.from.begin(), lesson.from.end());
  }
  for (const Lesson& lesson : lessons) {
    const double share = static_cast<double>(lesson.networks) / static_cast<double>(all.networks);
    all.signal += share * lesson.signal;
    all.noise += share * lesson.noise;
    all.weight += share * lesson.weight;
  }
  all.lengths = means(&Lesson::lengths);
  all.slopes = means(&Lesson::slopes);
  return all;
}

LessonWorth worth_of(const Lesson& lesson, const Space& space, const Gate& gate, const std::vector<Trial>& trials,
                     const Objective& objective, const std::vector<double>& rungs, const Catalogue* catalogue) {
  Seen seen(space, gate, trials, objective, rungs, catalogue);
  seen.past.lesson = &lesson;
  const int64_t networks = with_value(seen.known);
  if (networks < static_cast<int64_t>(kFewest)) return {.networks = networks};
  const Fit fit = learned_of(seen.question, seen.known, seen.field).fit;
  return {fit.lesson, fit.kernel, fit.gain, networks};
}

std::string to_words(const Lesson& lesson, const LessonWorth& worth) {
  const std::string who = "learned from " + core::join(lesson.from) + " (" + std::to_string(lesson.networks) +
                          (lesson.networks == 1 ? " network): " : " networks): ");
  if (worth.networks < static_cast<int64_t>(kFewest)) return who + "too little is measured yet to say what it is worth";
  const std::string over = " over " + std::to_string(worth.networks) + " networks";
  if (!worth.kernel) return who + "dropped: it does not explain what was measured" + over + " any better";
  const std::string slopes = worth.weight > 0 ? "slopes with weight " + core::fixed(worth.weight, 2)
                                              : "the kernel, while its slopes are dropped";
  return who + "it helps: " + slopes + "; what was measured" + over + " is " +
         core::fixed(std::exp(std::min(worth.gain, 100.0)), 1) + " times as likely with it";
}

}  // namespace condenser::search
