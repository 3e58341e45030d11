#include "verify/torch.hpp"

#include <algorithm>

#include "verify/float_trial.hpp"
#include "verify/python.hpp"

namespace condenser::verify {
namespace {

constexpr size_t kFloatSamples = 64;

// A small script of those who take the folder.
constexpr char kScript[] = R"py(
import math
import sys

folder, form, shape = sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3].split("x")]
sys.path.insert(0, folder)
sys.dont_write_bytecode = True
import torch
import model

torch.set_num_threads(1)
network = model.load(int8=form == "int8")
with open(sys.argv[4], "rb") as file:
    x = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).reshape(-1, *shape)
with torch.no_grad():
    found = [network(x[at:at + 32]) for at in range(0, len(x), 32)]
found = [y if isinstance(y, tuple) else (y,) for y in found]
with open(sys.argv[5], "wb") as file:
    for parts in zip(*found):
        file.write(bytes(torch.cat(parts).contiguous().flatten().view(torch.uint8).tolist()))
print(torch.__version__)
)py";

}  // namespace

std::vector<Check> verify_torch(const std::filesystem::path& folder, const exporters::Package& package,
                                const exporters::KnownAnswers& answers) {
  const auto python = python_with("torch");
  if (!python)
    return {{.name = "float",
             .detail =
                 "no Python here has torch; install it with `scripts/setup.sh`, or name an interpreter that has it in "
                 "CONDENSER_PYTHON"}};
  const auto answer_of = [&](const char* form, size_t samples) {
    return run_runtime(*python, kScript, {folder.string(), form, arch::to_string(package.spec.input)},
                       bytes_of(float_inputs(package, answers, samples)), float_output_bytes(package, samples),
                       "PyTorch");
  };
  const size_t all = answers.inputs.size(), some = std::min(kFloatSamples, all);
  return {float_check(folder / "weights.safetensors", answer_of("float", some), package,
                      float_inputs(package, answers, some), static_cast<int64_t>(some), 1e-5),
          int8_check(folder / "weights_int8.safetensors", answer_of("int8", all), package, answers)};
}

}  // namespace condenser::verify
