#include "cli/lessons.hpp"

#include "cli/cost_estimate.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

using search::Lesson;

namespace {

Lesson lesson_from(const std::string& subject, const search::Objective& objective) {
  StudyOptions options;
  options.subject = subject;
  const OpenStudy study = open_study_of(options, search::StoreMode::Look);
  const RunConfig& older = config_of(study, "search.learn_from");
  return search::lesson_of(*older.space, make_gate(older), study.store->load(), objective, fidelities(older.probe),
                           study.name);
}

}  // namespace

void learn_from_others(RunContext& run, search::Store& store) {
  const RunConfig& c = run.config;
  if (c.learn_from.empty() || store.kept(search::kLesson)) return;
  if (!store.load().empty())
    throw core::ConfigError(core::printable(run.folder.string()) +
                            ": search.learn_from: the study has trials that know nothing of it; expected a new one: "
                            "--fresh, or another name (name=...)");
  std::vector<Lesson> lessons;
  for (const std::string& subject : c.learn_from) lessons.push_back(lesson_from(subject, c.search.objective));
  const Lesson lesson = search::together(lessons);
  const std::string text = search::to_text(lesson);
  if (store.keep(search::kLesson, text) != text) return;  // another worker was first
  const std::string words = "from " + core::join(lesson.from) + ", " + core::thousands(lesson.networks) +
                            " networks: hyper-parameters of the kernel and slopes of the linear part";
  store.log({.kind = "learned", .text = words + ": " + text});
  core::log::info("search: learned " + words);
}

std::optional<std::string> lesson_report(const RunConfig& c, const search::Gate& gate, const search::Store& store,
                                         const std::vector<search::Trial>& trials) {
  const auto kept = store.kept(search::kLesson);
  if (!kept) return std::nullopt;
  const Lesson lesson = search::lesson_from_text(*kept);
  return search::to_words(lesson,
                          search::worth_of(lesson, *c.space, gate, trials, c.search.objective, fidelities(c.probe)));
}

}  // namespace condenser::cli
