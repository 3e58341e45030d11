#include <algorithm>

#include "condenser/train/supernet.hpp"

namespace condenser::train {

void read_options(core::config::Reader& reader, SupernetOptions& o) {
  reader.integer("epochs", o.epochs, 1, 100000, "passes over the training data");
  reader.integer("samples", o.samples, 0, 100'000'000,
                 "training images, class-balanced; 0: those of the short trainings");
  reader.integer("candidates", o.candidates, 0, 64,
                 "networks drawn for every step, which the gate lets pass; the widest and the narrowest learn beside "
                 "them");
}

TrainOptions shared_options(TrainOptions o, const SupernetOptions& s) {
  const TrainOptions plain;
  o.epochs = s.epochs;
  o.warmup_epochs = std::min(o.warmup_epochs, static_cast<double>(s.epochs));
  o.ema_decay = plain.ema_decay;
  o.metric = plain.metric, o.patience = plain.patience, o.keep = plain.keep;
  o.init = plain.init, o.freeze = plain.freeze;
  o.distill = plain.distill, o.resize = plain.resize;
  o.device = "cpu", o.amp = plain.amp;
  return o;
}

}  // namespace condenser::train
