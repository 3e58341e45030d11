// `condenser doctor`: what is installed, what works, what is missing and how to get it.

#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/torch_module.hpp"
#include "cli/verb.hpp"
#include "cli/version.hpp"
#include "condenser/core/team.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

struct Finding {
  std::string what;
  enum { Ok, Missing, Broken, Skipped } state = Ok;
  std::string detail, remedy;
};

// First executable of that name on PATH.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string folder;
  for (const char* p = path ? path : "";; ++p) {
    if (*p != ':' && *p != '\0') {
      folder += *p;
      continue;
    }
    if (!folder.empty() && access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
    folder.clear();
    if (*p == '\0') return "";
  }
}

Finding program(const std::string& what, const std::string& name, const std::string& remedy) {
  const std::string found = find_program(name);
  return {what, found.empty() ? Finding::Missing : Finding::Ok, found.empty() ? name + " is not on PATH" : found,
          found.empty() ? remedy : ""};
}

Finding libtorch() {
  try {
    return {"LibTorch (train, search)", Finding::Ok, torch_backend().version() + ", " + torch_module_path(), ""};
  } catch (const core::Error& e) {
    return {"LibTorch (train, search)", libtorch_version() == "none" ? Finding::Missing : Finding::Broken, e.what(),
            "scripts/setup.sh, then cmake --preset release"};
  }
}

Finding disk() {
  struct statvfs info {};
  if (statvfs(".", &info) != 0) return {"disk", Finding::Broken, "cannot be asked", ""};
  const double gib = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize) / (1 << 30);
  char text[64];
  std::snprintf(text, sizeof text, "%.1f GiB free here", gib);
  return {"disk", gib < 0.5 ? Finding::Broken : Finding::Ok, text,
          gib < 0.5 ? "free some space: runs write checkpoints" : ""};
}

Finding data_set(const fs::path& folder) {
  const std::string what = "data set " + folder.filename().string();
  try {
    const data::Card card = data::read_card(folder);
    std::string detail;
    for (const auto& [split, files] : card.splits) {
      bool present = true;
      for (const auto& f : files) present = present && fs::exists(card.root / f.path);
      if (!present)
        return {what, Finding::Missing, "files are not in " + card.root.string(),
                "see " + (folder / "README.md").string()};
      detail += (detail.empty() ? "" : ", ") + split + " " + std::to_string(data::open_split(card, split)->size());
    }
    return {what, Finding::Ok, detail + "; checksums match", ""};
  } catch (const core::Error& e) {
    return {what, Finding::Broken, e.what(), "see " + (folder / "README.md").string()};
  }
}

void add_data_sets(std::vector<Finding>& findings) {
  try {
    const fs::path root = core::config::find_file("datasets", fs::current_path() / "x");
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(root))
      if (fs::exists(entry.path() / "card.yaml")) folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    for (const auto& folder : folders) findings.push_back(data_set(folder));
  } catch (const core::ConfigError&) {
    findings.push_back({"data sets", Finding::Missing, "no folder datasets/ here or above", "run from a checkout"});
  }
}

const char* word(const Finding& f) {
  switch (f.state) {
    case Finding::Ok: return "ok";
    case Finding::Missing: return "missing";
    case Finding::Broken: return "BROKEN";
    case Finding::Skipped: return "skipped";
  }
  return "";
}

std::vector<Finding> gpu() {
  std::string missing;
  std::vector<Finding> findings;
  for (const train::DeviceCheck& check : torch_backend().check_gpu(missing))
    findings.push_back({"GPU: " + check.what, check.passed ? Finding::Ok : Finding::Broken, check.detail, ""});
  if (!missing.empty())
    findings.push_back({"GPU", Finding::Skipped, missing,
                        "a CUDA build of LibTorch and a GPU; training runs on the processor until then"});
  return findings;
}

struct Options {
  std::string format = "text";
  std::string what;  // nothing, or datasets
  bool gpu = false;
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  args.option("what", o.what, "nothing, or datasets");
  args.flag("--gpu", o.gpu, "train a small network on the processor and on the GPU, and compare");
}

int examine(const Options& o) {
  std::vector<Finding> findings;
  if (o.gpu) {
    findings = gpu();
  } else if (o.what.empty()) {
    findings.push_back({"condenser", Finding::Ok, version() + ", " + compiler() + ", " + build_type(), ""});
    findings.push_back(libtorch());
    findings.push_back({"processor", Finding::Ok, std::to_string(core::all_cores()) + " threads", ""});
    findings.push_back(disk());
    findings.push_back(program("C compiler (verify)", "gcc", "apt-get install gcc"));
    findings.push_back(program("second C compiler (verify)", "clang", "apt-get install clang (optional)"));
    findings.push_back(program("make (exported Makefile)", "make", "apt-get install make (optional)"));
  } else if (o.what != "datasets") {
    throw core::ConfigError("condenser doctor: '" + o.what + "'; expected nothing or datasets" +
                            (o.what == "gpu" ? "; did you mean --gpu?" : ""));
  }
  if (!o.gpu) add_data_sets(findings);
  StageOutput out{"condenser doctor",
                  {{{"what", "what", false},
                    {"state", "state", false},
                    {"detail", "detail", false},
                    {"remedy", "how to get it", false}},
                   {}},
                  {}};
  bool broken = false;
  for (const Finding& f : findings) {
    broken = broken || f.state == Finding::Broken;
    out.table.rows.push_back({core::cell(f.what), core::cell(word(f)), core::cell(f.detail), core::cell(f.remedy)});
  }
  print(out, o.format);
  return broken ? 1 : 0;
}

}  // namespace

Verb doctor_verb() {
  return {.name = "doctor",
          .group = kTools,
          .about = "what works here, what is missing and how to get it",
          .example = "doctor",
          .next = "--gpu trains on processor and GPU and compares.",
          .declare = with_options<Options>(add_options, examine)};
}

}  // namespace condenser::cli
