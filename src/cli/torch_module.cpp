// dlopen of the training module: beside the binary (build tree) or in the library folder of an installation.

#include "cli/torch_module.hpp"

#include <dlfcn.h>
#include <stdlib.h>

#include "build_id.hpp"
#include "cli/version.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {
constexpr const char* kFile = "libcondenser_torch.so";

fs::path find_module() {
  const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {bin, bin / ".." / CONDENSER_LIBDIR})
    if (fs::exists(folder / kFile)) return fs::weakly_canonical(folder / kFile);
  return {};
}

train::Backend* load() {
  const std::string remedy =
      libtorch_version() == "none"
          ? "this build has no LibTorch (preset no-torch); build the preset release to train or to measure"
          : "run scripts/setup.sh and build the target condenser_torch";
  const fs::path module = find_module();
  if (module.empty())
    throw core::Error(std::string(kFile) + " not found beside the binary; " + remedy, core::ExitCode::Usage);
  // Threads that wait must sleep, not spin: beside any other busy process, spinning made training ten times slower
  // (measured with one competing process on two cores). libgomp reads this when it is loaded; the user's own setting
  // wins.
  setenv("OMP_WAIT_POLICY", "passive", 0);
  // A rank that ends is reported by train/ranks/dist.cpp, by name; LibTorch's own lines about closed connections say
  // less.
  setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
  void* handle = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw core::Error(module.string() + ": cannot load: " + dlerror() + "; " + remedy);
  const auto factory = reinterpret_cast<train::BackendFactory>(dlsym(handle, train::kBackendSymbol));
  train::Backend* backend = factory ? factory(kBuildId) : nullptr;
  if (!backend) throw core::Error(module.string() + ": belongs to another version of condenser; rebuild both");
  return backend;
}
}  // namespace

train::Backend& torch_backend() {
  static train::Backend* backend = load();  // lives as long as the process: unloading LibTorch is not safe
  return *backend;
}

std::string torch_module_path() { return find_module().string(); }

}  // namespace condenser::cli
