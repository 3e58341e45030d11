#pragma once
// What the outputs of a network mean: which answer they give, how sure it is, and when it is right. Training, `eval`,
// `predict`, the quantizer's report, verification and known answers all ask here, for float and int8 alike.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::data {

enum class TaskKind {
  Classes,         // one output (logit) per class
  Reconstruction,  // the item's own values again, in the order channels, height, width; its error tells what is unusual
};

// int8 outputs are those of the float network after (q - zero point) * scale.
struct Task {
  int64_t classes = 0;
  bool independent = false;  // a sigmoid for each class: binary loss; else one choice among them by softmax
  bool several = false;      // an item has any number of classes: each is decided for itself, at probability 1/2
  TaskKind kind = TaskKind::Classes;
  ItemShape item = {};  // of a reconstruction

  bool reconstructs() const { return kind == TaskKind::Reconstruction; }
  int64_t outputs() const { return reconstructs() ? item.elements() : classes; }  // values of a network for an item
  bool operator==(const Task&) const = default;
};
// `independent`: what the training's loss says, see train::independent_classes(). Items of several classes always are.
Task task_of(const Dataset&, bool independent);
Task reconstruction_task(int64_t classes, const ItemShape&);

// Why outputs of this shape cannot answer, as what was expected: "10x1x1, one output per class"; "": they can.
std::string output_misfit(const Task&, const core::Shape& output);

// Mean of (output - value)^2 over the values of an item.
double reconstruction_error(std::span<const float> outputs, std::span<const float> item);

// The next four are for tasks of classes. All spans over classes hold Task::classes values; out may be logits itself.
void probabilities(const Task&, std::span<const float> logits, std::span<float> out);
int64_t choice(std::span<const float> logits);          // the largest, the first of equals; 0 when all are NaN
inline bool decided(float logit) { return logit > 0; }  // for the class: probability above 1/2

// An output that is not finite: no answer can be read from it.
struct NotFinite : core::Error {
  using core::Error::Error;
};
// Throws NotFinite naming the item.
void check_outputs(std::span<const float> logits, const std::string& item);

// What is right about an item.
struct Truth {
  int label = -1;                // -1: none of the classes, or not known
  std::span<const float> marks;  // above 1/2: of the class; may be empty unless the task has several
};
// One choice: it is the label. Several: every decision is as marked.
bool right(const Task&, std::span<const float> logits, const Truth&);
// -log p of the label by softmax, or the mean over the classes of -log p of what is so.
double loss(const Task&, std::span<const float> logits, std::span<const float> marks);

struct Prediction {
  int predicted = 0;
  float probability = 0;  // of the predicted class
};

struct Evaluation {
  TaskKind kind = TaskKind::Classes;
  int64_t correct = 0, total = 0;  // with several classes per item: all of its decisions are right; reconstructions: 0
  double loss = 0;
  // Of reconstructions, mean squared errors per item, in the data set's order; their mean, over the normal items where
  // the classes tell them (data/anomaly.hpp), which is the loss too. `auc` is that of the error as a score of anomaly.
  std::vector<float> errors;
  double reconstruction_error = 0;
  std::vector<Prediction> predictions;          // per item, in the data set's order; the largest output
  std::vector<std::vector<int64_t>> confusion;  // [label][prediction]; empty with several classes per item
  // Macro averages in percent; NaN where no class has what it takes. A class is decided for above probability 1/2, or
  // when it has the largest output; formulas: data/scores.hpp. The table of them is data/metrics.hpp.
  double balanced_accuracy = 0, macro_f1 = 0;
  double auc = 0;  // one class against the rest; NaN for more than kMostForAuc classes
};
constexpr int64_t kMostForAuc = 100;  // the outputs of all items are kept, and sorted for each class

// From logits to an Evaluation, part after part. Sums are added in the order of the items, so that they do not depend
// on how these came to be computed.
class Scorer {
 public:
  // The data set must outlive the scorer.
  Scorer(const Dataset&, const Task&);
  ~Scorer();
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;
  // [n, Task::outputs()], of the next n items; may be fewer than are left; see check_outputs(). Reconstructions: reads
  // the items themselves again.
  void add(std::span<const float> outputs);
  Evaluation finish();  // after the last item

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace condenser::data
