#include "cli/noise_export.hpp"

#include <numeric>

#include "cli/stages/package.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/quant/quantize.hpp"

namespace condenser::cli {
namespace {

constexpr int kImages = 8;
constexpr uint64_t kSeed = 1;

// Pictures of noise: ranges that hold something everywhere.
std::unique_ptr<data::Dataset> noise(const arch::Shape& shape) {
  const auto c = static_cast<size_t>(shape.c);
  std::vector<uint8_t> pixels(static_cast<size_t>(shape.elements()) * kImages);
  core::Rng rng(kSeed, 0x6e6f6973);  // "nois"
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(rng.below(256));
  return data::make_image_dataset(shape, {"0"}, {std::vector<double>(c, 0.5), std::vector<double>(c, 0.25)},
                                  std::move(pixels), std::vector<int>(kImages, 0));
}

}  // namespace

exporters::KnownAnswers export_with_noise(const arch::Design& design, int count, const std::filesystem::path& folder,
                                          const exporters::ExportOptions& options) {
  const exporters::Target& target = exporters::find_target("c99");
  for (const exporters::Unsupported& u : target.unsupported(design))
    throw core::Error(design.spec.name + ": node " + u.node + " cannot be exported: " + u.why);
  arch::Weights weights = arch::random_weights(design.spec, kSeed);
  arch::lower(design.spec, &weights);
  const arch::Spec& lowered = design.lowered;
  const auto data = noise(design.spec.input);
  quant::Quantized q = quant::quantize(design, weights, *data, {.observer = "min_max", .calibration_samples = kImages});
  runtime::Int8Executor executor(runtime::build_program(lowered, q.weights, q.quant));
  std::vector<int64_t> items(static_cast<size_t>(std::min(count, kImages)));
  std::iota(items.begin(), items.end(), 0);
  exporters::KnownAnswers answers = known_integers(executor, *data, items);
  target.write({.spec = lowered,
                .weights = std::move(q.weights),
                .quant = std::move(q.quant),
                .spec_hash = arch::hash(design.spec).hex(),
                .input_note = "noise",
                .output_note = "noise"},
               answers, options, folder);
  return answers;
}

}  // namespace condenser::cli
