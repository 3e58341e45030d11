// Makes probes by name, and does for all scores what is the same: threads, initial weights, errors, progress.
#include "train/probes/probes.hpp"

#include <c10/util/Exception.h>

#include "condenser/core/stop.hpp"
#include "condenser/search/probe_rows.hpp"
#include "train/files/transfer.hpp"
#include "train/loop.hpp"
#include "train/probes/short_train.hpp"
#include "train/supernet/inherited.hpp"

namespace condenser::train {
namespace {

struct ScoreRow {
  const char* name;
  Score score;
};
constexpr ScoreRow kScores[] = {
    {"synflow", synflow},
    {"grad_norm", grad_norm},
    {"naswot", naswot},
    {"reactions", reactions},
};

class ScoreProbe : public search::Probe {
 public:
  ScoreProbe(const ScoreRow& row, const ProbeRequest& request)
      : row_(search::find_probe_row(row.name)),
        score_(row.score),
        options_(request.options),
        stimulus_(make_stimulus(*request.train, options_, row_.images)),
        cost_(seconds_of_values(stimulus_.x.numel())) {}

  std::string name() const override { return row_.name; }
  double cost_seconds() const override { return cost_; }
  std::vector<std::string> finds() const override { return row_.finds; }

  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    if (context.on_progress) context.on_progress(0, row_.name);
    if (core::stop_requested()) throw core::Stopped("search: stopped before probe " + row_.name);
    use_threads(options_.threads);
    use_kernels(options_);
    TrainOptions options = options_;
    options.seed = context.seed;
    try {
      score_({candidate.spec, initial_weights(candidate.spec, options), stimulus_}, findings);
    } catch (const c10::Error& e) {
      throw core::Error(std::string("LibTorch: ") + e.what_without_backtrace());
    }
    if (context.on_progress) context.on_progress(1, row_.name);
  }

 private:
  const search::ProbeRow& row_;
  Score score_;
  TrainOptions options_;
  Stimulus stimulus_;
  double cost_;
};

}  // namespace

// A small column network takes about a quarter of a microsecond per input value.
double seconds_of_values(int64_t values) { return 2.5e-7 * static_cast<double>(values); }

std::unique_ptr<search::Probe> make_probe(const ProbeRequest& request) {
  for (const ScoreRow& row : kScores)
    if (request.name == row.name) return std::make_unique<ScoreProbe>(row, request);
  if (request.name == "inherited") return inherited_probe(request);
  if (search::find_probe_row(request.name).trains()) return short_train_probe(request);
  throw core::Error("probe " + request.name + " is not made by LibTorch");
}

}  // namespace condenser::train
