// `condenser study`: the table of its words, and which options belong to which.

#include "cli/verbs/study/study.hpp"

#include <algorithm>

#include "cli/shared_options.hpp"
#include "cli/verb.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using Names = std::vector<std::string>;

struct Word {
  const char* name;
  const char* about;
  const char* item;  // what stands behind the study; "": nothing
  Names formats;     // the first is the default
  Names options;     // of those below
  int (*run)(const StudyOptions&);
};

const std::vector<Word>& words() {
  static const Names all{"text", "json", "markdown", "csv"}, page{"text", "json"};
  static const std::vector<Word> table{
      {"list", "studies of a folder of runs", "", all, {}, study_list},
      {"show", "state, counts, budget, workers, events, refusals", "", page, {"--objective"}, study_show},
      {"best", "the winner so far", "", all, {"--objective"}, study_best},
      {"front", "what is not dominated", "", all, {"--objective", "--cost"}, study_front},
      {"why",
       "TRIAL: proposed, judged, kept or dropped by what and why",
       "TRIAL",
       page,
       {"--objective", "--cost"},
       study_why},
      {"report", "the whole study as one HTML page", "", all, {"--objective", "--out"}, study_report},
      {"export", "csv or json: every trial", "csv or json", {"csv", "json"}, {"--out"}, study_export},
      {"import", "FILE: designs with known results", "FILE", page, {}, study_import},
      {"ask", "the next trial, as JSON", "", {"json"}, {"--worker", "--lease", "--genotype"}, study_ask},
      {"tell",
       "TRIAL: what was found",
       "TRIAL",
       {"json"},
       {"--worker", "--metrics", "--failed", "--seconds"},
       study_tell},
      {"stop", "workers propose nothing more", "", page, {}, study_stop},
      {"resume", "they go on", "", page, {}, study_resume},
      {"replay", "propose every trial again and compare", "", page, {}, study_replay},
      {"prune", "remove what a finished study does not need", "", page, {"--dry-run"}, study_prune},
  };
  return table;
}

const Word& word_of(const std::string& name) {
  return *std::ranges::find_if(words(), [&](const Word& word) { return name == word.name; });
}

Names given(const StudyOptions& o) {
  Names names;
  const auto note = [&](bool is, const char* name) {
    if (is) names.push_back(name);
  };
  note(!o.objective.empty(), "--objective");
  note(!o.cost.empty(), "--cost");
  note(!o.out.empty(), "--out");
  note(!o.worker.empty(), "--worker");
  note(o.lease.has_value(), "--lease");
  note(o.seconds.has_value(), "--seconds");
  note(!o.genotype.empty(), "--genotype");
  note(!o.metrics.empty(), "--metrics");
  note(!o.failed.empty(), "--failed");
  note(o.dry_run, "--dry-run");
  return names;
}

core::ConfigError refusal(const StudyOptions& o, const std::string& what) {
  return core::ConfigError("condenser study " + o.word + ": " + what);
}

// What stands on the command line belongs to the word; what may be absent is filled in.
StudyOptions checked(StudyOptions o) {
  const Word& word = word_of(o.word);
  if (o.subject.empty() && o.word == "list") o.subject = o.runs.string();
  if (o.subject.empty())
    throw refusal(o,
                  "which study? Give a run folder, a run file, a study.sqlite or postgresql://..., for example "
                  "condenser study " +
                      o.word + " runs/digits_quickstart");
  const bool needs_item = *word.item != '\0', is_export = o.word == "export";
  if (needs_item && o.item.empty() && !is_export)
    throw refusal(o, std::string("its ") + word.item + " is missing behind the study");
  if (!needs_item && !o.item.empty()) throw refusal(o, "'" + core::printable(o.item) + "' is one argument too many");
  if (is_export && !o.item.empty()) {
    if (!o.format.empty() && o.format != o.item)
      throw refusal(o, o.item + " and --format " + o.format + "; expected one");
    o.format = o.item;
  }
  if (o.format.empty()) o.format = word.formats.front();
  if (std::ranges::find(word.formats, o.format) == word.formats.end())
    throw refusal(o, "format " + core::printable(o.format) + "; expected " + core::join(word.formats, " or "));
  for (const std::string& name : given(o)) {
    if (std::ranges::find(word.options, name) != word.options.end()) continue;
    Names owners;
    for (const Word& other : words())
      if (std::ranges::find(other.options, name) != other.options.end()) owners.push_back(other.name);
    throw refusal(o, name + " belongs to " + core::join(owners));
  }
  return o;
}

void add_options(Args& args, StudyOptions& o) {
  Names names, costs;
  std::string about;
  for (const Word& word : words()) {
    names.push_back(word.name);
    about += (about.empty() ? "" : "; ") + std::string(word.name) + ": " + word.about;
  }
  for (const search::Metric& metric : search::metrics())
    if (metric.of_design != nullptr) costs.push_back(metric.name);
  args.option("word", o.word, about).required().choices(names);
  args.option("study", o.subject, "run folder, run file, study.sqlite or postgresql://...; list: folder of runs");
  args.option("item", o.item, "why, tell: number of the trial; import: file; export: csv or json");
  args.option("--format", o.format, "output format; lists have all, the others some")
      .choices({"text", "json", "markdown", "csv"});
  add_runs_folder(args, o.runs);
  args.option(
      "--objective", o.objective,
      "show, best, front, why, report: a metric or an expression such as val_accuracy-2*log10(params); the study's own "
      "when absent");
  args.option("--cost", o.cost, "front, why: metric that should be low; params when absent").choices(costs);
  args.option("-o,--out", o.out,
              "export: file, standard output when absent; report: file, study.html in the run folder when absent");
  args.option("--worker", o.worker, "ask, tell: who examines; the user's name when absent");
  args.option("--lease", o.lease, "ask: seconds until the trial is given to others; 3600 when absent").range(1.0, 1e8);
  args.option("--genotype", o.genotype,
              "ask: propose this instead: JSON such as '{\"depth\": 2, ...}', or a file of it");
  args.option("--metrics", o.metrics, "tell: JSON such as '{\"val_accuracy\": 91.2}', or a file of it");
  args.option("--failed", o.failed, "tell: why the candidate cannot be examined");
  args.option("--seconds", o.seconds, "tell: that the examination took").range(0.0, 1e9);
  args.flag("--dry-run", o.dry_run, "prune: say what would be removed");
}

int run(const StudyOptions& o) { return word_of(o.word).run(checked(o)); }

}  // namespace

Verb study_verb() {
  return {.name = "study",
          .group = kRuns,
          .about = "what a search did and why; take part in it",
          .example = "study why runs/digits_quickstart 7",
          .next = "Then: condenser study front runs/<name>. To train the winner: condenser train runs/<name>",
          .declare = with_options<StudyOptions>(add_options, run)};
}

}  // namespace condenser::cli
