#include "condenser/exporters/stream.hpp"

#include "condenser/arch/stream.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/frames.hpp"
#include "condenser/runtime/quantized.hpp"
#include "condenser/runtime/stream_executor.hpp"

namespace condenser::exporters {
namespace {

void check_options(const ExportOptions& o) {
  if (o.stream != "frames" && o.stream != "window")
    throw core::ConfigError("export stream '" + core::printable(o.stream) + "'; expected none, frames or window");
  if (o.stream == "frames" && o.kernels != "own")
    throw core::ConfigError("export stream frames with kernels " + core::printable(o.kernels) +
                            "; expected own kernels, which compute single rows, or stream window");
  if (o.stream == "window" && o.stream_hop < 1)
    throw core::ConfigError("export stream_hop " + std::to_string(o.stream_hop) + "; expected 1 or more");
}

// A frame must be the same whatever comes after it.
void check_front_end(const SoundInput& sound) {
  if (sound.tables.peak)
    throw core::ConfigError(
        "export stream: the front-end divides a clip by its largest sample, which no stream has; expected features: "
        "{level: full_scale} in the card of the data set, and a network trained with it");
  if (sound.tables.value_step != 1)
    throw core::ConfigError(
        "export stream: time runs along the columns; expected features: {time: rows} in the card of the data set");
}

}  // namespace

int64_t StreamTimes::answers(int64_t values) const {
  const int64_t pushes = values / piece;
  return pushes < first ? 0 : (pushes - first) / period + 1;
}

StreamTimes stream_times(const Package& package, const ExportOptions& options) {
  check_options(options);
  StreamTimes times;
  if (options.stream == "frames") {
    const arch::Stream stream = arch::stream_of(package.spec, arch::analyze(package.spec));
    const arch::StreamNode& last = stream.nodes[static_cast<size_t>(package.spec.output())];
    times.first = last.first + 1;
    times.period = last.period;
  } else {
    times.first = package.spec.input.h;
    times.period = options.stream_hop;
  }
  times.sound = package.sound.has_value();
  times.piece = times.sound ? package.sound->tables.stride : package.spec.input.w * package.spec.input.c;
  if (times.sound) {
    check_front_end(*package.sound);
    times.first += data::pieces_before_frames(package.sound->tables);
  }
  return times;
}

std::vector<int8_t> stream_rows(const Package& package, std::span<const int16_t> sound) {
  const SoundInput& input = package.sound.value();
  const runtime::TensorQuant& quant = package.quant->nodes.at(package.spec.nodes[0].name).output;
  const auto mean = static_cast<float>(input.mean), std = static_cast<float>(input.std);
  std::vector<int8_t> rows;
  for (const float value : data::frames_of(input.tables, sound))
    rows.push_back(runtime::quantized((value - mean) / std, quant));
  return rows;
}

std::vector<std::vector<int8_t>> stream_outputs(const Package& package, const ExportOptions& options,
                                                const KnownAnswers& answers) {
  (void)stream_times(package, options);  // checks
  std::vector<int8_t> rows;
  if (package.sound) {
    std::vector<int16_t> sound;
    for (const std::vector<int16_t>& clip : answers.clips) sound.insert(sound.end(), clip.begin(), clip.end());
    rows = stream_rows(package, sound);
  } else {
    for (const std::vector<int8_t>& input : answers.inputs) rows.insert(rows.end(), input.begin(), input.end());
  }
  return options.stream == "frames"
             ? runtime::answers_at_once(package.spec, package.weights, *package.quant, rows)
             : runtime::answers_of_windows(package.spec, package.weights, *package.quant, rows, options.stream_hop);
}

}  // namespace condenser::exporters
