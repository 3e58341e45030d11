// `condenser bench data`: how many pictures a second one core turns into normalized training items. The pictures are
// those of $CONDENSER_DATA/imagenet_sample/original, read from the file system's cache. Beside the clock on the wall
// stands the processor time of the thread: what the core would do alone, also while others use the machine.

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verbs/bench.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kRounds = 11;
constexpr double kRoundSeconds = 0.6;
constexpr data::ItemShape kShape{3, 224, 224};

fs::path sample_folder() {
  const char* root = std::getenv("CONDENSER_DATA");
  const fs::path below = fs::path("imagenet_sample") / "original";
  return root && *root ? fs::path(root) / below : core::config::find_file("../shared/data" / below, fs::current_path());
}

std::vector<fs::path> sample_pictures(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw core::ConfigError(folder.string() +
                            ": no such folder; set CONDENSER_DATA to the one that holds imagenet_sample");
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) throw core::Error(folder.string() + ": no pictures in it");
  return files;
}

struct Case {
  const char* name;
  const char* about;
  data::SampleAugment augment;
};

struct Speed {
  core::Quartiles per_second, per_cpu_second;
  int64_t pictures = 0;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Rounds of whole passes over the pictures; the first warms the caches.
Speed measure(const data::Dataset& dataset, const data::SampleAugment& augment) {
  std::vector<float> out(kShape.elements());
  std::vector<double> speeds, cpu_speeds;
  Speed result;
  for (int round = 0; round <= kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_begin = cpu_seconds();
    int64_t pictures = 0;
    double seconds = 0;
    while (seconds < (round ? kRoundSeconds : 0.1)) {
      for (int64_t i = 0; i < dataset.size(); ++i) {
        core::Rng rng(1, 0, static_cast<uint64_t>(result.pictures + pictures++));
        dataset.draw(i, augment, rng, out);
      }
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    result.pictures += pictures;
    if (round == 0) continue;
    speeds.push_back(static_cast<double>(pictures) / seconds);
    cpu_speeds.push_back(static_cast<double>(pictures) / (cpu_seconds() - cpu_begin));
  }
  result.per_cpu_second = core::quartiles(std::move(cpu_speeds));
  result.per_second = core::quartiles(std::move(speeds));
  return result;
}

}  // namespace

int bench_data(const BenchOptions& o) {
  const fs::path folder = sample_folder();
  const auto dataset =
      data::make_picture_dataset(sample_pictures(folder), kShape, {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}});
  const std::vector<Case> cases{{"random_crop",
                                 "random-resized crop to 224x224 (8..100 % of the area)",
                                 {.crop_area = 0.08, .crop_ratio = 4.0 / 3}},
                                {"whole", "whole picture to 224x224", {}}};
  StageOutput out{"Decode, crop, resize and normalize on one core: " + std::to_string(dataset->size()) + " JPEGs of " +
                      folder.string(),
                  {{{"what", "what", false},
                    {"images_per_second", "images/s"},
                    {"slowest_round", "slowest round"},
                    {"fastest_round", "fastest round"},
                    {"images_per_cpu_second", "images per CPU second"},
                    {"rounds", "rounds"},
                    {"images", "images"}},
                   {}},
                  {}};
  auto results = nlohmann::ordered_json::array();
  for (const Case& c : cases) {
    const Speed speed = measure(*dataset, c.augment);
    const core::Quartiles& q = speed.per_second;
    results.push_back({{"what", c.name},
                       {"images_per_second", q.median},
                       {"slowest_round", q.min},
                       {"lower_quartile", q.q1},
                       {"upper_quartile", q.q3},
                       {"fastest_round", q.max},
                       {"images_per_cpu_second", speed.per_cpu_second.median},
                       {"slowest_cpu_round", speed.per_cpu_second.min},
                       {"fastest_cpu_round", speed.per_cpu_second.max},
                       {"rounds", kRounds},
                       {"images", speed.pictures}});
    out.table.rows.push_back({core::cell(c.about), core::cell(q.median, 0), core::cell(q.min, 0), core::cell(q.max, 0),
                              core::cell(speed.per_cpu_second.median, 0), core::cell(kRounds),
                              core::cell(speed.pictures)});
  }
  if (o.format != "json") {
    print(out, o.format);
    return 0;
  }
  const nlohmann::ordered_json j{{"schema_version", 1},
                                 {"benchmark", "data"},
                                 {"folder", folder.string()},
                                 {"pictures", dataset->size()},
                                 {"shape", {kShape.c, kShape.h, kShape.w}},
                                 {"threads", 1},
                                 {"results", results}};
  print_json(j);
  return 0;
}

}  // namespace condenser::cli
