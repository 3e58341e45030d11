// Short training: adds val_accuracy (percent) and val_loss. Initial weights, order and augmentation come from the
// context's seed, so that equal networks get equal answers. Nothing is written.
#include "train/probes/short_train.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/train/check_options.hpp"
#include "train/loop.hpp"
#include "train/probes/probes.hpp"

namespace condenser::train {
namespace {

class ShortTrain : public search::Probe {
 public:
  explicit ShortTrain(const ProbeRequest& r) : train_(r.train), validation_(r.validation), options_(r.options) {
    if (!validation_ || validation_->size() == 0)
      throw core::ConfigError("short training needs validation data; expected a validation part in the data options");
  }

  std::string name() const override { return "short_train"; }

  double cost_seconds() const override {
    return seconds_of_values(train_->size() * train_->shape().elements()) * options_.epochs;
  }

  std::vector<std::string> finds() const override { return {"val_accuracy", "val_loss"}; }

  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    TrainOptions options = options_;
    options.seed = context.seed;
    options.epochs = std::max(1, static_cast<int>(std::lround(options_.epochs * context.fidelity)));
    const FitResult result = fitted(candidate, options, context);
    findings.metrics["val_accuracy"] = data::metrics().front().value(*result.validation);
    findings.metrics["val_loss"] = result.validation->loss;
  }

 private:
  // That training diverges is the candidate's doing; whatever else goes wrong is not.
  FitResult fitted(const search::Candidate& candidate, const TrainOptions& options,
                   const search::ProbeContext& context) const {
    const DataFacts data = facts_of(*train_, validation_.get());
    if (const auto found = conflict({.options = options, .data = &data, .spec = &candidate.spec}, "probe"))
      throw search::CandidateError(conflict_error(options, "probe", *found).what());  // others may do
    try {
      return fit({.spec = candidate.spec,
                  .train = train_,
                  .validation = validation_,
                  .options = options,
                  .folder = {},
                  .on_progress = telling(context),
                  .section = "probe"});
    } catch (const Diverged& e) {
      throw search::CandidateError(e.what());
    } catch (const data::NotFinite& e) {
      throw search::CandidateError(e.what());
    } catch (const c10::Error& e) {
      throw core::Error(std::string("LibTorch: ") + e.what_without_backtrace());
    }
  }

  static std::function<void(const Progress&)> telling(const search::ProbeContext& context) {
    if (!context.on_progress) return {};
    return [&context](const Progress& p) {
      context.on_progress(
          static_cast<double>(p.step) / static_cast<double>(p.steps),
          "epoch " + std::to_string(p.epoch + 1) + "/" + std::to_string(p.epochs) + ", loss " + core::fixed(p.loss, 3));
    };
  }

  std::shared_ptr<const data::Dataset> train_, validation_;
  TrainOptions options_;
};

}  // namespace

std::unique_ptr<search::Probe> short_train_probe(const ProbeRequest& request) {
  return std::make_unique<ShortTrain>(request);
}

}  // namespace condenser::train
