// From sound to answer: <prefix>_sound.h and .c, which feed the network what the front-end makes of a clip.
#include <map>

#include "condenser/data/frames.hpp"
#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"

namespace condenser::exporters {
namespace {

using Fields = std::vector<std::pair<const char*, std::string>>;

std::string arrays(const data::FrontEndTables& t, const std::string& prefix) {
  std::string text = "/* Hann window. */\n" + constant_array("float", prefix + "_hann", t.hann) +
                     "\n/* Cosines and negative sines of the transform. */\n" +
                     constant_array("float", prefix + "_turns", t.turns) + "\n/* Bit-reversed indices. */\n" +
                     constant_array("uint16_t", prefix + "_order", t.order) +
                     "\n/* Spectral lines of every mel band and their weights. */\n" +
                     constant_array("int16_t", prefix + "_band_begin", t.band_begin) +
                     constant_array("int16_t", prefix + "_band_end", t.band_end) +
                     constant_array("float", prefix + "_band_weights", t.band_weights);
  if (!t.dct.empty())
    text += "\n/* Cosines from bands to coefficients. */\n" + constant_array("float", prefix + "_dct", t.dct);
  return text;
}

std::string fields(const data::FrontEndTables& t, const std::string& prefix) {
  const auto n = [](int value) { return std::to_string(value); };
  const Fields all = {{"samples", n(t.samples)},
                      {"begin", n(t.begin)},
                      {"window", n(t.window)},
                      {"stride", n(t.stride)},
                      {"frames", n(t.frames)},
                      {"fft", n(t.fft)},
                      {"bands", n(t.bands)},
                      {"coefficients", n(t.coefficients)},
                      {"frame_step", n(t.frame_step)},
                      {"value_step", n(t.value_step)},
                      {"hann", prefix + "_hann"},
                      {"turns", prefix + "_turns"},
                      {"order", prefix + "_order"},
                      {"band_begin", prefix + "_band_begin"},
                      {"band_end", prefix + "_band_end"},
                      {"band_weights", prefix + "_band_weights"},
                      {"dct", t.dct.empty() ? "0" : prefix + "_dct"}};
  std::string text, line = "   ";
  for (const auto& [name, value] : all) {
    const std::string item = std::string(" .") + name + " = " + value + ",";
    if (line.size() + item.size() > kColumns) {
      text += line + "\n";
      line = "   ";
    }
    line += item;
  }
  return text + line + "\n";
}

int scratch_of(const data::FrontEndTables& t) { return t.fft + t.fft / 2 + 1 + t.bands; }

// Where the scratch lies in the input's arena, which holds nothing but the input while features are made; from the
// input on. None: the rest of that arena is too small.
std::optional<int64_t> scratch_in_arena(const runtime::Int8Program& program, const SoundInput& sound) {
  const arch::MemoryPlan& plan = program.plan;
  const int64_t bytes = int64_t{sizeof(float)} * scratch_of(sound.tables), input = plan.offset[0];
  const bool fast = input < plan.fast_bytes;
  const int64_t begin = fast ? 0 : plan.fast_bytes, end = fast ? plan.fast_bytes : plan.peak_bytes;
  const int64_t behind = (input + program.spec.input.elements() + 3) / 4 * 4;
  if (behind + bytes <= end) return behind - input;
  if (bytes <= input - begin) return begin - input;
  return std::nullopt;
}

// The frame of a stream: all samples that there are.
data::FrontEndTables of_frame(data::FrontEndTables t) {
  t.samples = t.window;
  t.begin = 0;
  t.frames = 1;
  return t;
}

Files front_end(const data::FrontEndTables& t, const Names& names) {
  const std::map<std::string, std::string> marks = {{"P", names.prefix},
                                                    {"M", names.macro},
                                                    {"ARRAYS", arrays(t, names.prefix)},
                                                    {"FIELDS", fields(t, names.prefix)},
                                                    {"FRAME_FIELDS", fields(of_frame(t), names.prefix)}};
  return {{names.prefix + "_front_end.h", c99_fill("front_end.h.in", marks)},
          {names.prefix + "_front_end.c", c99_fill("front_end.c.in", marks)}};
}

}  // namespace

std::string c99_sound_scratch(const runtime::Int8Program& program, const SoundInput& sound) {
  const std::optional<int64_t> at = scratch_in_arena(program, sound);
  if (!at) return "static float scratch[" + std::to_string(scratch_of(sound.tables)) + "]";
  const std::string offset = *at < 0 ? "(" + std::to_string(*at) + ")" : std::to_string(*at);
  return "float *const scratch = (float *)(void *)(input + " + offset + ")";
}

int64_t c99_sound_bytes(const runtime::Int8Program& program, const SoundInput& sound) {
  const int64_t scratch = scratch_in_arena(program, sound) ? 0 : scratch_of(sound.tables);
  return int64_t{sizeof(float)} * (scratch + data::frame_values(sound.tables));
}

Files c99_sound(const runtime::Int8Program& program, const SoundInput& sound, const ExportOptions& options) {
  const data::FrontEndTables& t = sound.tables;
  const std::string& prefix = options.prefix;
  const Names names(prefix);
  const bool in_arena = scratch_in_arena(program, sound).has_value();
  const std::string numbers =
      has_stream(options) ? "#include \"" + prefix + "_front_end.h\"\n"
                          : c99_fill("sound_numbers.c.in",
                                     {{"P", prefix}, {"ARRAYS", arrays(t, prefix)}, {"FIELDS", fields(t, prefix)}});
  const std::map<std::string, std::string> marks = {
      {"P", names.prefix},
      {"M", names.macro},
      {"RATE", std::to_string(sound.sample_rate)},
      {"SAMPLES", std::to_string(t.samples)},
      {"FRAMES", std::to_string(t.frames)},
      {"VALUES", std::to_string(data::frame_values(t))},
      {"WHAT", t.coefficients > 0 ? "MFCC" : "logarithms of mel bands"},
      {"SCRATCH", c99_sound_scratch(program, sound)},
      {"BESIDE", in_arena ? "; works in the rest of the arena" : ""},
      {"BYTES", std::to_string(c99_sound_bytes(program, sound))},
      {"GAIN", t.peak ? "cnd_frontend_gain(" + names.macro + "_SOUND_SAMPLES, clip)" : "1.0f / 32768.0f"},
      {"LEVEL", t.peak ? "A clip is brought to its largest sample first: its volume does not count."
                       : "Full scale of 16 bits is what it was in training: the volume counts."},
      {"FRAME_STEP", std::to_string(t.frame_step)},
      {"VALUE_STEP", std::to_string(t.value_step)},
      {"MEAN", real(static_cast<float>(sound.mean))},
      {"STD", real(static_cast<float>(sound.std))},
      {"NUMBERS", numbers}};
  Files files = {{prefix + "_sound.h", c99_fill("sound.h.in", marks)},
                 {prefix + "_sound.c", c99_fill("sound.c.in", marks)}};
  if (has_stream(options)) files.merge(front_end(t, names));
  return files;
}

}  // namespace condenser::exporters
