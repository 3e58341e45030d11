#pragma once
// Weight sharing: one training for all networks of a space, whose weights every candidate inherits. Plain data and
// draws; no LibTorch here. How it is done stands in src/train/supernet/README.md.

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "condenser/data/dataset.hpp"
#include "condenser/search/space.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

struct SupernetOptions {
  int epochs = 10;
  int samples = 0;     // training images, class-balanced; 0: those of the short trainings
  int candidates = 2;  // drawn for every step, beside the widest and the narrowest
};
void read_options(core::config::Reader&, SupernetOptions&);

// How the shared weights are trained: as the short trainings, for other epochs. What belongs to one network alone is
// off (moving average, patience and best weights, initial and frozen weights, teacher, smaller pictures), on the
// processor in full precision.
TrainOptions shared_options(TrainOptions, const SupernetOptions&);

using Allowed = std::function<bool(const search::Candidate&)>;

// Networks that are always trained: of those that are allowed the ones with the most and the fewest parameters, as far
// as changes of single decisions lead. Pure. Throws core::Error when none of 10,000 draws is allowed.
struct Extremes {
  search::Genotype widest, narrowest;
};
Extremes extremes(const search::Space&, const Allowed&, uint64_t seed);

// Everything that decides what is learned, but the options of the training itself. What it names must live as long as
// the probe that is made with it.
struct SupernetRequest {
  SupernetOptions options;
  const search::Space* space = nullptr;
  Allowed allowed;                             // what the gate lets pass before training
  std::shared_ptr<const data::Dataset> train;  // options.samples of it
  std::filesystem::path folder;                // where the finished weights are kept; empty: nowhere
};

}  // namespace condenser::train
