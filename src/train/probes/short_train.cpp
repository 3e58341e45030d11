// Short training: adds val_accuracy (percent) and val_loss, and both epoch by epoch as curves. Initial weights, order
// and augmentation come from the context's seed, so that equal networks get equal answers.
//
// At a fidelity below 1 it pauses: after that share of the epochs, with the schedule of all of them. What it needs to
// go on lies in the context's folder, one file for each network. Whoever is asked for more goes on from there, with the
// bits of a training that never paused; without the file it begins again, and arrives at the same bits.
#include "train/probes/short_train.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "condenser/core/text.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/train/check_options.hpp"
#include "train/files/identity.hpp"
#include "train/loop.hpp"
#include "train/probes/probes.hpp"

namespace condenser::train {
namespace {

class ShortTrain : public search::Probe {
 public:
  explicit ShortTrain(const ProbeRequest& r)
      : train_(r.train), validation_(r.validation), options_(r.options), on_trained_(r.on_trained) {
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
    const FitResult result = fitted(candidate, options, context);
    findings.metrics["val_accuracy"] = data::metrics().front().value(*result.validation);
    findings.metrics["val_loss"] = result.validation->loss;
    for (const EpochScore& epoch : result.curve) {
      findings.curves["val_accuracy"].push_back(epoch.accuracy);
      findings.curves["val_loss"].push_back(epoch.loss);
    }
    if (on_trained_) on_trained_(candidate, result.weights, findings);
  }

 private:
  // That training diverges is the candidate's doing; whatever else goes wrong is not.
  FitResult fitted(const search::Candidate& candidate, const TrainOptions& options,
                   const search::ProbeContext& context) {
    const DataFacts data = facts_of(*train_, validation_.get());
    if (const auto found = conflict({.options = options, .data = &data, .spec = &candidate.spec}, "probe"))
      throw search::CandidateError(conflict_error(options, "probe", *found).what());  // others may do
    FitRequest request{.spec = candidate.spec,
                       .train = train_,
                       .validation = validation_,
                       .options = options,
                       .folder = {},
                       .on_progress = telling(context),
                       .section = "probe",
                       .pause_after = std::max(1, static_cast<int>(std::lround(options.epochs * context.fidelity))),
                       .state = state_file(candidate, context),
                       .curve = true};
    if (!request.state.empty()) add_checksums(request);
    try {
      FitResult result = fit(request);
      if (request.pause_after >= options.epochs) remove_state(request);
      return result;
    } catch (const Diverged& e) {
      remove_state(request);
      throw search::CandidateError(e.what());
    } catch (const data::NotFinite& e) {
      remove_state(request);
      throw search::CandidateError(std::string("training diverged: ") + e.what());
    } catch (const c10::Error& e) {
      throw core::Error(std::string("LibTorch: ") + e.what_without_backtrace());
    }
  }

  static std::filesystem::path state_file(const search::Candidate& candidate, const search::ProbeContext& context) {
    if (context.folder.empty()) return {};
    std::filesystem::create_directories(context.folder);
    return context.folder / (search::identity(candidate).hex() + ".safetensors");
  }

  static void remove_state(const FitRequest& request) {
    std::error_code ignored;  // one more file, of no harm
    if (!request.state.empty()) std::filesystem::remove(request.state, ignored);
  }

  // Once: they take a look at all data.
  void add_checksums(FitRequest& request) {
    std::call_once(checksums_, [&] {
      train_checksum_ = data_checksum(*train_);
      validation_checksum_ = data_checksum(*validation_);
    });
    request.train_checksum = train_checksum_;
    request.validation_checksum = validation_checksum_;
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
  decltype(ProbeRequest::on_trained) on_trained_;
  std::once_flag checksums_;
  std::string train_checksum_, validation_checksum_;
};

}  // namespace

std::unique_ptr<search::Probe> short_train_probe(const ProbeRequest& request) {
  return std::make_unique<ShortTrain>(request);
}

}  // namespace condenser::train
