#include "condenser/verify/machine.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>

#include "condenser/core/files.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "verify/board_sources.hpp"
#include "verify/cycles.hpp"
#include "verify/trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;
using core::ProcessResult;
using Words = std::vector<std::string>;

constexpr const char* kOptimize = "-O3";
constexpr uint32_t kVectorsBytes = 256;
constexpr size_t kCounted = 2;  // samples whose instructions are counted

std::string board_source(std::string_view name) { return std::string(core::source_text(board_sources(), name)); }

void append(Words& to, const Words& more) { to.insert(to.end(), more.begin(), more.end()); }

std::string stream_header(const Manifest& m) {
  if (!m.stream) return "";
  const std::string p = m.prefix;
  return "#include \"" + p + "_stream.h\"\n#define NETWORK_STREAM_PIECE " + std::to_string(m.stream->piece) +
         "\n#define NETWORK_STREAM_TYPE " + (m.stream->sound ? "int16_t" : "int8_t") + "\n#define network_push " + p +
         (m.stream->sound ? "_push" : "_push_frame") + "\n#define network_stream_output " + p + "_stream_output\n";
}

// The header that board.c reads the network through.
std::string network_header(const Manifest& m) {
  std::vector<std::string> bytes;
  for (const size_t output : m.outputs) bytes.push_back(std::to_string(output));
  const std::string output = m.prefix + (m.outputs.size() == 1 ? "_output()" : "_output(i)");
  const std::string sound = "#include \"" + m.prefix + "_sound.h\"\n#define NETWORK_CLIP_SAMPLES " +
                            std::to_string(m.clip_samples) + "\n#define network_hear " + m.prefix + "_sound_input\n";
  return "#include \"" + m.prefix + ".h\"\n" + (m.clip_samples > 0 ? sound : "") + stream_header(m) +
         (m.weights_file.empty() ? "" : "#define network_use_weights " + m.prefix + "_use_weights\n") +
         "#define NETWORK_INPUT_BYTES " + exporters::macro_prefix(m.prefix) + "_INPUT_BYTES\n#define network_input " +
         m.prefix + "_input\n#define network_run " + m.prefix +
         "_run\nenum { NETWORK_OUTPUTS = " + std::to_string(m.outputs.size()) +
         " };\nstatic const uint32_t network_output_bytes[] = {" + core::join(bytes) +
         "};\nstatic const int8_t *network_output(int i) {\n  (void)i;\n  return " + output + ";\n}\n";
}

// For every call of a kernel that the run function makes, in their order, the layer it belongs to: a layer stands in a
// comment of its own, and some take several calls.
std::vector<std::string> layers_of(const std::string& source, const std::string& prefix) {
  std::vector<std::string> layers;
  std::string layer;
  std::istringstream lines(source.substr(std::min(source.size(), source.find("int " + prefix + "_run(void)"))));
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": "), word = line.find_first_not_of(' ');
    if (line.starts_with("  /* ") && line.ends_with(" */") && colon != std::string::npos)
      layer = line.substr(5, colon - 5);
    else if (word != std::string::npos &&
             (line.compare(word, 4, "cnd_") == 0 || line.compare(word, 9, "status = ") == 0) &&
             line.find('(') != std::string::npos)
      layers.push_back(layer);
  }
  return layers;
}

// Bytes of sections whose names begin so, from what `size -A` prints.
int64_t section_bytes(const std::string& listing, const Words& beginnings) {
  int64_t sum = 0;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t bytes = 0;
    if (!(words >> name >> bytes)) continue;
    const bool counts =
        std::ranges::any_of(beginnings, [&](const std::string& b) { return name == b || name.starts_with(b + "."); });
    if (counts) sum += bytes;
  }
  return sum;
}

// Sources of CMSIS-NN for floats want to be switched on.
bool is_integer_source(const fs::path& file) {
  const std::string name = file.stem().string();
  return file.extension() == ".c" && !name.ends_with("_f32") && !name.ends_with("_f16") && !name.ends_with("_flt");
}

class MachineTrial {
 public:
  MachineTrial(const Machine& machine, const fs::path& folder, const exporters::KnownAnswers& answers, int most,
               const MachineFolders& beside)
      : machine_(machine),
        folder_(fs::absolute(folder)),
        kept_(beside.kept.empty() ? beside.kept : fs::absolute(beside.kept)),
        library_(beside.cmsis_nn.empty() ? beside.cmsis_nn : fs::absolute(beside.cmsis_nn)),
        manifest_(read_manifest(folder)),
        answers_(answers) {
    check_answers(answers, manifest_);
    const auto count = std::min(answers.inputs.size(), static_cast<size_t>(most));
    answers_.inputs.resize(count);
    answers_.outputs.resize(count);
    if (manifest_.clip_samples > 0) answers_.clips.resize(count);
    answers_.stream.resize(static_cast<size_t>(stream_answers(count)));
    result_.machine = result_.check.name = machine.name;
    result_.options = kOptimize + (" " + core::join(machine.flags, " "));
  }

  MachineResult run() {
    if (!manifest_.library.empty() && library_.empty()) {
      skip("the export calls " + manifest_.library +
           ", which is not here; expected its folder as verify.cmsis_nn, or export.kernels: own");
      return std::move(result_);
    }
    if (compile_library() && compile() && link() && run_samples({.inputs = answers_.inputs.size()}, {})) {
      result_.check.samples = std::ssize(answers_.inputs);
      compare(answers_, found_, result_.check);
      if (result_.check.passed && manifest_.clip_samples > 0) hear();
      if (result_.check.passed && manifest_.stream) stream();
      measure_sizes();
      count_instructions();
    }
    return std::move(result_);
  }

 private:
  fs::path at(const std::string& name) const { return temporary_.path() / name; }

  ProcessResult start(const Words& arguments, const fs::path& folder) const {
    return core::run_process(
        arguments,
        {.folder = folder, .environment = {"LC_ALL=C"}, .time_limit = std::chrono::seconds(machine_.seconds)});
  }

  bool fail(const std::string& detail) {
    result_.check.ran = true;
    result_.check.passed = false;
    result_.check.detail = detail;
    return false;
  }

  bool skip(const std::string& detail) {
    result_.check.ran = false;
    result_.check.detail = detail;
    return false;
  }

  // Whether a step of this trial went well; a program that is not there says which packages bring it.
  bool well(const ProcessResult& result, const std::string& doing, const std::string& program) {
    if (result.ok()) return true;
    if (result.status() == 127)
      return skip(program + " is not installed; expected the packages " + machine_.packages + " (apt-get install)");
    return machine_trouble(result) ? skip(doing + ": " + describe(result)) : fail(doing + ": " + describe(result));
  }

  Words compiler() const {
    Words words = {machine_.compiler, kOptimize};
    append(words, machine_.flags);
    return words;
  }

  // As a firmware has it: optimized alike, its own warnings aside. Of the archive only what is called is taken.
  bool compile_library() {
    if (manifest_.library.empty()) return true;
    const fs::path sources = library_ / "Source", header = library_ / "Include" / "arm_nnfunctions.h";
    if (!fs::is_regular_file(header) || !fs::is_directory(sources))
      return fail(core::printable(library_.string()) + " holds no Include/arm_nnfunctions.h or no Source; expected " +
                  manifest_.library + ", as its repository is");
    fs::create_directory(at("library"));
    Words words = compiler();
    if (machine_.board) words.push_back(machine_.board->library);
    append(words, {"-w", "-c", "-I" + header.parent_path().string()});
    for (const fs::directory_entry& file : fs::recursive_directory_iterator(sources))
      if (is_integer_source(file.path())) words.push_back(file.path().string());
    if (!well(start(words, at("library")), "compiling " + manifest_.library, machine_.compiler)) return false;
    Words archive = {tool("ar"), "rcs", archive_name()};
    for (const fs::directory_entry& file : fs::directory_iterator(at("library")))
      archive.push_back(file.path().string());
    return well(start(archive, temporary_.path()), "gathering " + manifest_.library, archive.front());
  }
  std::string archive_name() const { return at("library.a").string(); }
  std::string tool(const char* name) const {
    return machine_.compiler.substr(0, machine_.compiler.rfind("gcc")) + name;
  }

  bool compile() {
    fs::create_directory(at("objects"));
    Words words = compiler();
    append(words, strict_options());
    if (!manifest_.library.empty()) append(words, {"-isystem", (library_ / "Include").string()});
    if (machine_.board) words.push_back(machine_.board->library);
    words.push_back("-c");
    Words kernels;  // to be kept
    for (const std::string& name : manifest_.sources()) {
      const bool kernel = !kept_.empty() && name.starts_with("cnd_");
      if (kernel && fs::exists(kept(name))) {
        fs::copy_file(kept(name), object(name));
        continue;
      }
      if (kernel) kernels.push_back(name);
      words.push_back((folder_ / name).string());
    }
    if (!well(start(words, at("objects")), "compiling", machine_.compiler)) return false;
    for (const std::string& name : kernels) fs::copy_file(object(name), kept(name));
    return true;
  }

  // Kernels carry a tag in the names of their functions: the same text is the same object.
  fs::path kept(const std::string& source) const {
    return kept_ / (machine_.name + "_" + manifest_.files.at(source) + ".o");
  }

  Words objects() const {
    Words words;
    for (const std::string& name : manifest_.sources())
      if (name != test_source()) words.push_back(object(name));
    if (!manifest_.library.empty()) words.push_back(archive_name());
    return words;
  }
  std::string object(const std::string& source) const {
    return (at("objects") / fs::path(source).replace_extension(".o")).string();
  }
  std::string test_source() const { return manifest_.prefix + "_test.c"; }

  bool link() {
    Words words = compiler();
    if (machine_.board) {
      const Board& b = *machine_.board;
      const uint32_t taken = b.vectors ? 0 : kVectorsBytes;  // of `rom`
      core::write_atomic(at("board.c"), board_source("board.c.in"));
      if (!manifest_.weights_file.empty()) fs::copy_file(folder_ / manifest_.weights_file, at("weights.bin"));
      core::write_atomic(at("network.h"), network_header(manifest_));
      core::write_atomic(at("link.ld"), core::filled(board_source("link.ld.in"),
                                                     {{"VECTORS", std::to_string(b.vectors.value_or(b.rom))},
                                                      {"VECTORS_BYTES", std::to_string(kVectorsBytes)},
                                                      {"ROM", std::to_string(b.rom + taken)},
                                                      {"ROM_BYTES", std::to_string(b.rom_bytes - taken)},
                                                      {"RAM", std::to_string(b.ram)},
                                                      {"RAM_BYTES", std::to_string(b.ram_bytes)}}));
      append(words, {"-std=c99", "-I" + folder_.string(), "-I" + temporary_.path().string(), at("board.c").string(),
                     "-nostartfiles", "-T", at("link.ld").string()});
      words.push_back(b.library);
    } else {
      append(words, {"-std=c99", "-I" + folder_.string(), (folder_ / test_source()).string()});
      append(words, self_test_options(manifest_, folder_));
    }
    append(words, objects());
    append(words, {"-o", at("program").string()});
    if (manifest_.clip_samples > 0) words.push_back("-lm");
    return well(start(words, temporary_.path()), "linking", machine_.compiler);
  }

  template <class T>
  void write_samples(const char* name, const std::vector<std::vector<T>>& samples, size_t count) const {
    core::write_atomic(at(name),
                       bytes_of(std::vector(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(count))));
  }

  // How many of the inputs and sounds are run, and how many are a stream.
  struct Samples {
    size_t inputs = 0, clips = 0, streamed = 0;
  };

  // The first of each kind. `options` of the emulator stand before the program.
  bool run_samples(const Samples& samples, const Words& options) {
    write_samples("inputs.bin", answers_.inputs, samples.inputs);
    write_samples("clips.bin", answers_.clips, samples.clips);
    const bool sound = manifest_.stream && manifest_.stream->sound;
    if (sound)
      write_samples("stream.bin", answers_.clips, samples.streamed);
    else
      write_samples("stream.bin", answers_.inputs, samples.streamed);
    fs::remove(at("outputs.bin"));
    Words words = {machine_.emulator.front()};
    append(words, options);
    words.insert(words.end(), machine_.emulator.begin() + 1, machine_.emulator.end());
    words.push_back(at("program").string());
    if (!machine_.board) {
      if (samples.clips > 0) words.push_back("--clips");
      if (samples.streamed > 0) words.push_back("--stream");
      append(words, {samples.clips > 0      ? "clips.bin"
                     : samples.streamed > 0 ? "stream.bin"
                                            : "inputs.bin",
                     "outputs.bin"});
    }
    const ProcessResult result = start(words, temporary_.path());
    if (!well(result, "running", machine_.emulator.front())) return false;
    result_.check.ran = true;
    if (!fs::exists(at("outputs.bin"))) return fail("running: no outputs were written");
    found_ = core::read_file(at("outputs.bin"));
    const size_t outputs = samples.inputs + samples.clips + static_cast<size_t>(stream_answers(samples.streamed));
    const size_t expected = outputs * manifest_.output_bytes();
    return found_.size() == expected ||
           fail("wrote " + std::to_string(found_.size()) + " bytes; expected " + std::to_string(expected));
  }

  int64_t stream_values(size_t samples) const {
    return static_cast<int64_t>(samples * (manifest_.stream->sound ? manifest_.clip_samples : manifest_.input_bytes));
  }
  int64_t stream_answers(size_t samples) const {
    return manifest_.stream ? manifest_.stream->answers(stream_values(samples)) : 0;
  }

  // The same answers from the sounds on.
  void hear() {
    if (!run_samples({.clips = answers_.clips.size()}, {})) return;
    compare(answers_, found_, result_.check);
    if (!result_.check.passed) return;
    result_.check.detail += ", from the sounds on";
    const std::vector<int64_t> counts = count("_sound_input", {.clips = 1});
    if (counts.empty()) return;
    result_.check.detail += "; the front-end takes " +
                            std::to_string(std::accumulate(counts.begin(), counts.end(), int64_t{0})) + " instructions";
  }

  // The same answers as a stream, and what a push takes.
  void stream() {
    if (!run_samples({.streamed = answers_.inputs.size()}, {})) return;
    compare_stream(answers_, found_, result_.check);
    if (!result_.check.passed) return;
    const exporters::StreamTimes& times = *manifest_.stream;
    // Two rounds of answers, so that every layer has had its turn.
    const auto least = static_cast<size_t>(std::ceil(
        static_cast<double>((times.first + 2 * times.period) * times.piece) / static_cast<double>(stream_values(1))));
    const Samples samples{.streamed = std::min(answers_.inputs.size(), least + 1)};
    StreamCost cost{.pushes = stream_values(samples.streamed) / times.piece};
    if (times.sound) cost.piece_ms = 1000.0 * static_cast<double>(times.piece) / manifest_.sample_rate;
    const char* const push = times.sound ? "_push" : "_push_frame";
    // Means are of the pushes between answers, when a stream has begun.
    const std::vector<int64_t> calls = count_calls(push, samples);
    if (std::ssize(calls) != cost.pushes) return;
    const auto begun = static_cast<size_t>(times.first);
    const std::span<const int64_t> steady = std::span(calls).subspan(
        begun, (calls.size() - begun) / static_cast<size_t>(times.period) * static_cast<size_t>(times.period));
    const auto most = std::ranges::max_element(calls);
    cost.most_instructions = *most;
    cost.mean_instructions =
        std::accumulate(steady.begin(), steady.end(), int64_t{0}) / std::max<int64_t>(1, std::ssize(steady));
    result_.stream = cost;
    result_.check.detail += "; a piece of it takes " + std::to_string(cost.mean_instructions) +
                            " instructions in the mean, " + std::to_string(cost.most_instructions) + " at most";
    const auto cycles = [&](size_t first, size_t last) -> int64_t {
      const auto counts = count(push, samples, ",from=" + std::to_string(first) + ",to=" + std::to_string(last));
      const std::vector<double> estimated = estimate_cycles(counts.size(), last - first + 1);
      return estimated.empty() ? -1 : std::llround(std::accumulate(estimated.begin(), estimated.end(), 0.0));
    };
    const auto worst = static_cast<size_t>(most - calls.begin());
    result_.stream->most_cycles = cycles(worst, worst);
    if (!steady.empty()) result_.stream->mean_cycles = cycles(begun, begun + steady.size() - 1);
  }

  void measure_sizes() {
    Words words = compiler();
    append(words, {"-r", "-nostdlib", "-o", at("whole.o").string()});
    append(words, objects());
    if (!start(words, temporary_.path()).ok()) return;
    const ProcessResult listing = start({tool("size"), "-A", at("whole.o").string()}, temporary_.path());
    if (!listing.ok()) return;
    for (const std::string& name : manifest_.sources()) {
      if (name == test_source()) continue;
      const ProcessResult own = start({tool("size"), "-A", object(name)}, temporary_.path());
      if (own.ok()) result_.cost.sources.push_back({name, section_bytes(own.out, {".text"})});
    }
    result_.cost.code_bytes = section_bytes(listing.out, {".text"});
    result_.cost.constant_bytes = section_bytes(listing.out, {".rodata", ".srodata"}) + manifest_.weights_bytes;
    result_.cost.memory_bytes = section_bytes(listing.out, {".data", ".bss", ".sdata", ".sbss", "COMMON"});
    if (!machine_.board) return;
    const std::string stack = core::read_file(at("stack.bin"));
    uint32_t bytes = 0;
    if (stack.size() != sizeof bytes) return;
    std::memcpy(&bytes, stack.data(), sizeof bytes);
    result_.cost.stack_bytes = bytes;
  }

  // Instructions of each kernel that a function of the export calls and of what follows, for one sample. With a plugin
  // of the emulator, made by this machine's compiler; where it cannot be made or loaded nothing is counted.
  std::vector<int64_t> count(const char* function, const Samples& samples, const std::string& more = "") {
    core::write_atomic(at("count.c"), board_source("count.c.in"));
    if (!start({"gcc", "-O2", "-shared", "-fPIC", "count.c", "-o", "count.so"}, temporary_.path()).ok()) return {};
    const Check check = result_.check;
    fs::remove(at("counts.txt"));
    std::string plugin = "./count.so,run=" + manifest_.prefix + function + ",out=counts.txt";
    if (machine_.timing && machine_.board)
      plugin += ",blocks=blocks.txt,rom=" + std::to_string(machine_.board->rom) +
                ",rom_bytes=" + std::to_string(machine_.board->rom_bytes);
    const bool ran = run_samples(samples, {"-plugin", plugin + more});
    result_.check = check;
    if (!ran || !fs::exists(at("counts.txt"))) return {};
    const auto runs = static_cast<int64_t>(std::max<size_t>(1, samples.inputs + samples.clips));
    std::vector<int64_t> counts = numbers(at("counts.txt"));
    for (int64_t& count : counts) count /= runs;
    return counts;
  }

  // Instructions of each call of a function of the export.
  std::vector<int64_t> count_calls(const char* function, const Samples& samples) {
    fs::remove(at("calls.txt"));
    (void)count(function, samples, ",calls=calls.txt");
    return fs::exists(at("calls.txt")) ? numbers(at("calls.txt")) : std::vector<int64_t>{};
  }

  static std::vector<int64_t> numbers(const fs::path& file) {
    std::istringstream words(core::read_file(file));
    std::vector<int64_t> values;
    for (int64_t value = 0; words >> value;) values.push_back(value);
    return values;
  }

  // Of the calls that count() has counted; empty where nothing is known.
  std::vector<double> estimate_cycles(size_t calls, size_t samples) const {
    if (!fs::exists(at("blocks.txt"))) return {};
    const ProcessResult listing =
        start({tool("objdump"), "-d", "--no-show-raw-insn", at("program").string()}, temporary_.path());
    if (!listing.ok()) return {};
    std::vector<double> cycles =
        cycles_of(core::read_file(at("blocks.txt")), read_listing(listing.out), *machine_.timing);
    if (cycles.size() != calls) return {};
    for (double& c : cycles) c /= static_cast<double>(samples);
    return cycles;
  }

  void count_instructions() {
    const size_t samples = std::min(kCounted, answers_.inputs.size());
    const std::vector<int64_t> counts = count("_run", {.inputs = samples});
    if (counts.empty()) return;
    result_.cost.instructions = 0;
    for (const int64_t count : counts) result_.cost.instructions += count;
    const std::vector<double> cycles = estimate_cycles(counts.size(), samples);
    if (!cycles.empty()) result_.cost.cycles = std::llround(std::accumulate(cycles.begin(), cycles.end(), 0.0));
    const auto layers = layers_of(core::read_file(folder_ / (manifest_.prefix + ".c")), manifest_.prefix);
    if (layers.size() + 1 != counts.size()) return;  // the compiler has made other calls of them
    std::vector<LayerCost>& costs = result_.cost.layers;
    for (size_t i = 0; i < layers.size(); ++i) {  // a layer in strips is called again and again
      auto layer = std::ranges::find(costs, layers[i], &LayerCost::layer);
      if (layer == costs.end()) layer = costs.insert(costs.end(), LayerCost{layers[i], 0});
      layer->instructions += counts[i];
      if (!cycles.empty()) layer->cycles = std::max<int64_t>(0, layer->cycles) + std::llround(cycles[i]);
    }
  }

  const Machine& machine_;
  fs::path folder_, kept_, library_;
  Manifest manifest_;
  exporters::KnownAnswers answers_;
  core::TemporaryFolder temporary_;
  std::string found_;
  MachineResult result_;
};

core::Cell known(int64_t value) { return value < 0 ? core::empty_cell() : core::cell(value); }

}  // namespace

MachineResult run_on(const Machine& machine, const fs::path& folder, const exporters::KnownAnswers& answers, int most,
                     const MachineFolders& beside) {
  return MachineTrial(machine, folder, answers, most, beside).run();
}

std::string stream_line(const MachineResult& r, double clock_mhz) {
  if (!r.stream || r.stream->mean_instructions < 0) return "";
  const StreamCost& s = *r.stream;
  const bool cycles = s.mean_cycles >= 0 && s.most_cycles >= 0;
  std::string line = "stream on " + r.machine + ": " + core::thousands(s.mean_instructions) +
                     " instructions a piece in the mean, " + core::thousands(s.most_instructions) + " at most";
  if (cycles)
    line += "; cycles, estimated: " + core::thousands(s.mean_cycles) + " and " + core::thousands(s.most_cycles);
  if (s.piece_ms <= 0) return line;
  const auto share = [&](int64_t count) {
    return core::fixed(100.0 * static_cast<double>(count) / (s.piece_ms * 1000 * clock_mhz), 2) + " %";
  };
  return line + "; a piece has " + core::number(s.piece_ms) + " ms: at " + core::number(clock_mhz) + " MHz " +
         share(cycles ? s.mean_cycles : s.mean_instructions) + " of the time, at most " +
         share(cycles ? s.most_cycles : s.most_instructions) + (cycles ? "" : " (one cycle an instruction)");
}

core::Table to_table(const std::vector<MachineResult>& results) {
  core::Table table;
  table.columns = {{"machine", "machine", false},
                   {"instructions", "instructions", true},
                   {"estimated_cycles", "cycles, estimated", true},
                   {"code_bytes", "code, bytes", true},
                   {"constant_bytes", "constants, bytes", true},
                   {"memory_bytes", "variables, bytes", true},
                   {"stack_bytes", "stack, bytes", true},
                   {"options", "gcc", false}};
  for (const MachineResult& r : results)
    table.rows.push_back({core::cell(r.machine), known(r.cost.instructions), known(r.cost.cycles),
                          known(r.cost.code_bytes), known(r.cost.constant_bytes), known(r.cost.memory_bytes),
                          known(r.cost.stack_bytes), core::cell(r.options)});
  return table;
}

core::Table layer_table(const MachineResult& result) {
  core::Table table;
  table.columns = {{"layer", "layer", false},
                   {"instructions", "instructions", true},
                   {"share", "share, %", true},
                   {"estimated_cycles", "cycles, estimated", true}};
  for (const LayerCost& layer : result.cost.layers)
    table.rows.push_back({core::cell(layer.layer), core::cell(layer.instructions),
                          core::cell(100.0 * static_cast<double>(layer.instructions) /
                                         static_cast<double>(std::max<int64_t>(1, result.cost.instructions)),
                                     1),
                          known(layer.cycles)});
  return table;
}

}  // namespace condenser::verify
