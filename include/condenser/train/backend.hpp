#pragma once
// The door to everything that needs LibTorch: libcondenser_torch.so is loaded on demand and hands out this interface.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/weights.hpp"
#include "condenser/data/task.hpp"
#include "condenser/runtime/quant_params.hpp"
#include "condenser/search/probe.hpp"
#include "condenser/train/options.hpp"
#include "condenser/train/ranks.hpp"
#include "condenser/train/supernet.hpp"

namespace condenser::train {

struct Progress {
  int64_t epoch = 0, epochs = 0, step = 0, steps = 0;  // step of all steps of the run
  double loss = 0, images_per_s = 0, eta_s = 0;
  double train_accuracy = 0;           // percent, of the epoch so far; NaN: outputs are no classes
  std::optional<double> val_accuracy;  // percent, of the last epoch that ended
  std::optional<double> val_error;     // instead, of a reconstruction
};

// What references and pointers name must live until fit() returns; nothing is kept after that.
struct FitRequest {
  const arch::Spec& spec;
  std::shared_ptr<const data::Dataset> train;
  std::shared_ptr<const data::Dataset> validation;  // may be null
  const TrainOptions& options;
  std::filesystem::path folder;  // metrics and checkpoints; empty: nothing is written (probes)
  std::function<void(const Progress&)> on_progress;
  std::string section = "train";  // of the run file where the options stand, for messages
  bool all_ranks = false;         // together with the ranks met by join(), which make the same request; rank 0 writes

  // For trainings that pause. After so many epochs, with the schedule of options.epochs; 0: after all of them. The same
  // request with more goes on from `state` with the bits of one that never paused.
  int pause_after = 0;
  std::filesystem::path state;  // instead of a folder: the one file; lost, damaged or of another run: from the start
  std::string train_checksum, validation_checksum;  // of the data (data_checksum), where they are known; "": computed
  bool curve = false;                               // looks at the validation data after every epoch

  // Training of a lowered network in its int8 form, on the processor (nn/fake_quant.hpp).
  const arch::Weights* start = nullptr;          // instead of options.init
  const runtime::QuantParams* ranges = nullptr;  // of its outputs, which stay as they are; null: in floats
  double taught_by_start = 0;                    // share in the loss of the network in floats as it starts
};

// On the validation data.
struct EpochScore {
  double accuracy = 0;  // percent; NaN: outputs are no classes
  double loss = 0;
  bool operator==(const EpochScore&) const = default;
};

using data::Evaluation;
using data::Prediction;

struct FitResult {
  arch::Weights weights;  // the moving average when it is on; the last or the best
  std::optional<Evaluation> validation;
  int64_t resumed_at_step = 0;    // 0: fresh
  std::vector<EpochScore> curve;  // of every epoch, those before a pause too, where the request asks for it
};

// The weights that a training begins with: random ones by seed, with those of options.init on top; says what was
// loaded. Needs no LibTorch.
arch::Weights initial_weights(const arch::Spec&, const TrainOptions&);

// How fast networks answer: float32, lowered (batch norm folded, as deployed), random weights. Every network gets the
// same execution; its layout (planes or channels-last) is the one that was faster for it while warming up.
struct SpeedRequest {
  std::vector<const arch::Spec*> networks;  // as given
  std::vector<int> batches{1}, threads{1};  // settings: each batch with each number of threads; a GPU knows no threads
  double seconds = 1;                       // of measuring, per network and setting; slow ones take longer
  std::function<void(double fraction, const std::string& doing)> on_progress;  // may be empty
};

struct SpeedSample {
  size_t network = 0;  // index of the request
  std::string device;  // "cpu", "cuda"
  int batch = 1;
  int threads = 1;                   // 0: not the processor
  std::string layout;                // "planes", "channels-last"
  std::vector<double> images_per_s;  // one per round, at least five
};

// One thing that training on a GPU must do, and what was seen.
struct DeviceCheck {
  std::string what;
  bool passed = true;
  std::string detail;
};

// How fast a network trains: forward, cross-entropy, backward and an SGD update on a fixed batch of noise.
struct TrainingSpeedRequest {
  const arch::Spec& spec;
  int batch = 128;
  int threads = 0;                                            // 0: all cores
  double seconds = 1;                                         // of a round, roughly
  std::function<bool()> next_round;                           // asked before each round; false ends the measurement
  std::function<void(int64_t images, double seconds)> round;  // told after each round
};

// One training step and all that is needed to repeat it elsewhere.
struct TrainingStep {
  arch::Weights before, after;
  std::vector<float> input;              // [n, c, h, w]
  std::vector<int64_t> labels;           // [n]
  std::vector<float> evaluated, logits;  // [n, classes]: before the step, with running and with batch statistics
  double lr = 0, momentum = 0, weight_decay = 0;  // SGD with Nesterov momentum
};

// A probe of search::probe_rows(), on these data.
struct ProbeRequest {
  std::string name;
  std::shared_ptr<const data::Dataset> train;
  std::shared_ptr<const data::Dataset> validation;  // may be null for probes that do not train
  TrainOptions options;                             // of the short training; its seed is the context's
  // What else is found of a candidate when its training has come to its end or its pause, from the weights; may be
  // empty.
  std::function<void(const search::Candidate&, const arch::Weights&, search::Findings&)> on_trained = {};
  SupernetRequest supernet = {};  // of the probe `inherited`
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string version() const = 0;  // "LibTorch 2.13.0 (CPU)"
  // Meets the other processes of a launcher; waits until all have come. A process takes part in one training together.
  virtual void join(const Ranks&, int timeout_seconds) = 0;
  // After join(): rank 0's text on all ranks. The others wait for it, however long it takes, or throw core::Stopped.
  virtual std::string hand_out(const std::string& text) = 0;
  // Trains, resuming exactly from the folder's checkpoint when there is one. Throws core::Stopped after saving.
  virtual FitResult fit(const FitRequest&) = 0;
  // Throws core::Error naming the first tensor of the weights that is not finite.
  virtual Evaluation evaluate(const arch::Spec&, const arch::Weights&, const data::Dataset&, const data::Task&,
                              int threads) = 0;
  // Outputs [n, c, h, w] of the network in evaluation mode; for tests and comparisons.
  virtual std::vector<float> forward(const arch::Spec&, const arch::Weights&, const std::vector<float>& input,
                                     int64_t n) = 0;
  // Throws ConfigError for a name that is not in search::probe_rows(), and where the probe needs data that are missing.
  virtual std::unique_ptr<search::Probe> make_probe(const ProbeRequest&) = 0;
  // Rounds over all networks within a setting, so that a busy moment hits all alike. Settings in the order of the
  // request, networks in order within each. Throws core::Stopped between two passes.
  virtual std::vector<SpeedSample> measure_inference(const SpeedRequest&) = 0;
  // Trains a small network on the processor and on the first GPU, in every way that there is, and compares. Without a
  // GPU nothing is checked and `missing` says why. Takes about a minute.
  virtual std::vector<DeviceCheck> check_gpu(std::string& missing) = 0;
  virtual void measure_training(const TrainingSpeedRequest&) = 0;
  virtual TrainingStep training_step(const arch::Spec&, int batch, int threads) = 0;
};

// Exported by libcondenser_torch.so with C linkage. `build` must be kBuildId of the generated build_id.hpp, a hash of
// all public headers: program and module share structs and functions. Null: they do not fit.
using BackendFactory = Backend* (*)(const char* build);
constexpr const char* kBackendSymbol = "condenser_torch_backend";

}  // namespace condenser::train
