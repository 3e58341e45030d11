#include "condenser/arch/machine_model.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "arch/machine_model_text.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::arch {
namespace {

constexpr const char* kFile = "machine_models.csv";
constexpr const char* kColumns = "machine,kernel,of,what,value";
constexpr const char* kRun = "run";  // in the column `kernel`: the run function

struct Row {
  std::string machine, kernel, of, what, value;
};

[[noreturn]] void fail(size_t line, const std::string& found) {
  throw core::Error(std::string(kFile) + ", line " + std::to_string(line) + ": " + found + "; expected a row " +
                    kColumns + "; `condenser bench kernels --out " + kFile + "` writes the file");
}

Row row_of(const std::string& text, size_t line) {
  Row row;
  std::string* const fields[] = {&row.machine, &row.kernel, &row.of, &row.what};
  size_t begin = 0;
  for (std::string* field : fields) {
    const size_t comma = text.find(',', begin);
    if (comma == std::string::npos) fail(line, core::printable(text));
    *field = text.substr(begin, comma - begin);
    begin = comma + 1;
  }
  row.value = text.substr(begin);
  return row;
}

double number_of(const Row& row, size_t line) {
  double value = 0;
  const char* const end = row.value.data() + row.value.size();
  const auto [at, error] = std::from_chars(row.value.data(), end, value);
  if (error != std::errc() || at != end || !(value >= 0)) fail(line, "value " + core::printable(row.value));
  return value;
}

size_t kernel_place(const std::string& name) {
  const auto found =
      std::ranges::find_if(kernels(), [&](const Kernel& kernel) { return std::string_view(kernel.name) == name; });
  return static_cast<size_t>(found - kernels().begin());
}

size_t source_place(MachineModel& model, const std::string& name, int64_t bytes) {
  const auto found = std::ranges::find(model.sources, name, &SourceBytes::name);
  const auto place = static_cast<size_t>(found - model.sources.begin());
  if (found == model.sources.end()) model.sources.push_back({name, bytes});
  return place;
}

void read_kernel(MachineModel& model, const Row& row, size_t line) {
  const size_t place = kernel_place(row.kernel);
  const double value = number_of(row, line);
  if (place == kernels().size()) fail(line, "kernel " + core::printable(row.kernel));
  KernelModel& kernel = model.kernels[place];
  if (row.of == "instructions" || row.of == "cycles") {
    const auto& names = kernel_counts(kernels()[place]).names;
    std::vector<double>& taken = row.of == "cycles" ? kernel.cycles : kernel.instructions;
    const auto found = std::ranges::find_if(names, [&](const char* name) { return name == row.what; });
    if (found == names.end()) fail(line, "count " + core::printable(row.what));
    taken.resize(names.size());
    taken[static_cast<size_t>(found - names.begin())] = value;
  } else if (row.of == "code" && row.what == "call") {
    kernel.call_bytes = value;
  } else if (row.of == "code") {
    kernel.sources.push_back(source_place(model, row.what, static_cast<int64_t>(value)));
  } else if (row.of == "stack") {
    kernel.stack_bytes = static_cast<int64_t>(value);
  } else {
    fail(line, core::printable(row.of));
  }
}

void read_row(std::vector<MachineModel>& models, const Row& row, size_t line) {
  if (models.empty() || models.back().name != row.machine) {
    models.push_back({.name = row.machine});
    models.back().kernels.resize(kernels().size());
  }
  MachineModel& model = models.back();
  if (row.of == "compiler") {
    model.compiler = row.value;
  } else if (row.of == "kernel_set") {
    model.kernel_set = row.value;
  } else if (row.kernel == kRun && row.of == "stack") {
    model.run_stack_bytes = static_cast<int64_t>(number_of(row, line));
  } else if (row.kernel == kRun) {
    (row.of == "code"     ? model.run_bytes
     : row.of == "cycles" ? model.run_cycles
                          : model.run_instructions) = number_of(row, line);
  } else {
    read_kernel(model, row, line);
  }
}

void write_kernel(std::string& text, const MachineModel& model, size_t place) {
  const KernelModel& kernel = model.kernels[place];
  const KernelCounts& counts = kernel_counts(kernels()[place]);
  const std::string begin = model.name + "," + counts.kernel + ",";
  const auto write = [&](const char* of, const std::vector<double>& taken) {
    for (size_t i = 0; i < taken.size(); ++i)
      if (taken[i] > 0) text += begin + of + "," + counts.names[i] + "," + core::number(taken[i]) + "\n";
  };
  write("instructions", kernel.instructions);
  write("cycles", kernel.cycles);
  if (kernel.call_bytes > 0) text += begin + "code,call," + core::number(kernel.call_bytes) + "\n";
  for (const size_t source : kernel.sources)
    text += begin + "code," + model.sources[source].name + "," + std::to_string(model.sources[source].bytes) + "\n";
  if (kernel.stack_bytes >= 0) text += begin + "stack,bytes," + std::to_string(kernel.stack_bytes) + "\n";
}

}  // namespace

std::vector<MachineModel> parse_machine_models(std::string_view csv) {
  std::vector<MachineModel> models;
  std::istringstream lines{std::string(csv)};
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.front() != '#' && line != kColumns) read_row(models, row_of(line, number), number);
  }
  return models;
}

std::string to_csv(std::span<const MachineModel> models) {
  std::string text =
      "# What the counts of each kernel take on each machine. Written by: condenser bench kernels --out "
      "src/arch/machine_models.csv\n" +
      std::string(kColumns) + "\n";
  for (const MachineModel& model : models) {
    const std::string begin = model.name + ",,";
    text += begin + "compiler,," + model.compiler + "\n" + begin + "kernel_set,," + model.kernel_set + "\n";
    const std::string run = model.name + "," + kRun + ",";
    text += run + "instructions,calls," + core::number(model.run_instructions) + "\n";
    if (knows_cycles(model)) text += run + "cycles,calls," + core::number(model.run_cycles) + "\n";
    text += run + "code,call," + core::number(model.run_bytes) + "\n";
    if (knows_stack(model)) text += run + "stack,bytes," + std::to_string(model.run_stack_bytes) + "\n";
    for (size_t place = 0; place < model.kernels.size(); ++place) write_kernel(text, model, place);
  }
  return text;
}

std::span<const MachineModel> machine_models() {
  static const std::vector<MachineModel> models = parse_machine_models(core::source_text(machine_model_text(), kFile));
  return models;
}

std::vector<std::string> modelled_machines() {
  std::vector<std::string> names;
  for (const MachineModel& model : machine_models()) names.push_back(model.name);
  return names;
}

const MachineModel* find_machine_model(std::string_view name) {
  const auto models = machine_models();
  const auto found = std::ranges::find(models, name, &MachineModel::name);
  return found == models.end() ? nullptr : &*found;
}

bool knows_stack(const MachineModel& model) {
  return std::ranges::any_of(model.kernels, [](const KernelModel& kernel) { return kernel.stack_bytes >= 0; });
}

bool knows_cycles(const MachineModel& model) {
  return std::ranges::any_of(model.kernels, [](const KernelModel& kernel) { return !kernel.cycles.empty(); });
}

MachineCosts machine_costs(const MachineModel& model, const Spec& lowered, const Analysis& analysis,
                           const Strips* strips, std::vector<double>* by_node) {
  if (by_node != nullptr) by_node->assign(lowered.nodes.size(), 0);
  double instructions = model.run_instructions, cycles = model.run_cycles, code = model.run_bytes;
  int64_t stack = 0;
  bool counted = true, stacked = true, timed = true;
  uint64_t sources = 0;  // bits
  for (size_t i = 0; i < lowered.nodes.size(); ++i) {
    const Node& node = lowered.nodes[i];
    Shape in[kMaxInputs];
    for (size_t k = 0; k < node.inputs.size(); ++k) in[k] = analysis.node(node.inputs[k]).shape;
    const std::span<const Shape> ins(in, node.inputs.size());
    const Kernel* const kernel = node.inputs.empty() ? nullptr : choose_kernel(node.op, ins);
    if (kernel == nullptr) continue;
    const KernelModel& own = model.kernels[static_cast<size_t>(kernel - kernels().data())];
    double sum = 0;
    const auto count = [&](const Op& op, std::span<const Shape> from, const Shape& to) {
      double counts[kMaxCounts];
      kernel_counts(*kernel).count(op, from, to, counts);
      for (size_t k = 0; k < own.instructions.size(); ++k) sum += own.instructions[k] * counts[k];
      for (size_t k = 0; k < own.cycles.size(); ++k) cycles += own.cycles[k] * counts[k];
    };
    const size_t pieces = strips != nullptr && strips->has(static_cast<int>(i)) ? strips->rows.size() : 0;
    for (size_t strip = 0; strip < pieces; ++strip) {
      const Piece piece = piece_of(lowered, analysis, *strips, strip, static_cast<int>(i));
      count(piece.op, piece.in, piece.out);
    }
    if (pieces == 0) count(node.op, ins, analysis.nodes[i].shape);
    instructions += sum;
    if (by_node != nullptr) (*by_node)[i] = sum;
    counted = counted && !own.instructions.empty();
    stacked = stacked && own.stack_bytes >= 0;
    timed = timed && !own.cycles.empty();
    stack = std::max(stack, own.stack_bytes);
    const double calls = std::holds_alternative<Concat>(node.op) ? static_cast<double>(node.inputs.size()) : 1.0;
    code += own.call_bytes * calls * static_cast<double>(std::max<size_t>(pieces, 1));
    for (const size_t source : own.sources) sources |= uint64_t{1} << source;
  }
  for (size_t source = 0; source < model.sources.size(); ++source)
    if ((sources >> source & 1) != 0) code += static_cast<double>(model.sources[source].bytes);
  return {counted ? std::llround(instructions) : -1, counted ? std::llround(code) : -1,
          stacked ? stack + model.run_stack_bytes : -1, timed ? std::llround(cycles) : -1};
}

}  // namespace condenser::arch
