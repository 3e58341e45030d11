#include "cli/examiner.hpp"

#include <sched.h>
#include <signal.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "cli/examiner_words.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using Clock = std::chrono::steady_clock;
using core::ExitCode;

constexpr std::chrono::milliseconds kLook{100};  // at limits and for a stop
constexpr std::chrono::seconds kGrace{5};        // for a process that is told to stop

int64_t resident_mebibytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

// The processors of a slot; empty: all.
cpu_set_t processors_of(int slot, int slots) {
  cpu_set_t all, mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof all, &all) != 0) return mine;
  const int count = CPU_COUNT(&all);
  if (slots < 2 || count < slots) return mine;
  int position = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &all) && position++ * slots / count == slot) CPU_SET(cpu, &mine);
  return mine;
}

// The process and the line to it.
class Child {
 public:
  explicit Child(const ExaminerOptions& o) : Child(o, core::make_channel()) {}

  core::Channel& channel() { return channel_; }
  core::Process& process() { return process_; }

 private:
  Child(const ExaminerOptions& o, std::pair<core::Channel, core::Channel> ends)
      : process_(arguments(o), options(ends.second)), channel_(std::move(ends.first)) {
    const cpu_set_t mine = processors_of(o.slot, o.slots);
    if (CPU_COUNT(&mine) > 0) sched_setaffinity(process_.pid(), sizeof mine, &mine);
  }

  static std::vector<std::string> arguments(const ExaminerOptions& o) {
    return {"condenser", "examiner", o.folder.string(), "--threads", std::to_string(o.threads)};
  }
  static core::ProcessOptions options(const core::Channel& theirs) {
    core::ProcessOptions options;
    options.program = core::kThisProgram;
    options.err = core::Stream::Captured;
    options.channel = theirs.descriptor();
    return options;
  }

  core::Process process_;
  core::Channel channel_;
};

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return "";
  const size_t begin = text.rfind('\n', end);
  return core::printable(text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin).substr(0, 300));
}

std::string how_it_ended(const core::ProcessResult& result) {
  std::string text = result.end == core::ProcessResult::End::Exited
                         ? "ended with exit code " + std::to_string(result.code)
                         : "was ended by signal " + std::to_string(result.code) + " (" + strsignal(result.code) + ")";
  const std::string words = last_line(result.err);
  return text + (words.empty() ? "" : "; its last words: " + words);
}

class Examiner final : public search::Probe {
 public:
  Examiner(ExaminerOptions options, std::vector<std::string> finds)
      : o_(std::move(options)), finds_(std::move(finds)) {}

  std::string name() const override { return "examiner"; }
  double cost_seconds() const override { return 1; }
  std::vector<std::string> finds() const override { return finds_; }

  void ask(const search::Candidate&, const search::ProbeContext& context, search::Findings& findings) override {
    constexpr int kTries = 2;
    std::string end;
    for (int i = 0; i < kTries; ++i) {
      if (!child_) child_.emplace(o_);
      child_->channel().send(question_text(context));
      if (const auto answer = listen(context)) {
        take(*answer, findings);
        return;
      }
      end = how_it_ended(child_->process().wait());
      child_.reset();
      if (core::stop_requested()) throw stopped();  // a scheduler tells all processes at once
      core::log::warning("search: the process that examines a candidate " + end);
    }
    throw search::CandidateError("the process that examined it " + end + ", twice");
  }

 private:
  // None: the process has ended.
  std::optional<Answer> listen(const search::ProbeContext& context) {
    const auto start = Clock::now();
    while (true) {
      if (const auto line = child_->channel().receive(kLook)) {
        Answer answer = read_answer(*line);
        if (answer.kind != Answer::Kind::Progress) return answer;
        if (context.on_progress) context.on_progress(answer.fraction, answer.text);
      }
      if (core::stop_requested()) stop();
      if (child_->channel().closed()) return std::nullopt;
      check_limits(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }

  void check_limits(double seconds) {
    if (o_.most_seconds > 0 && seconds > o_.most_seconds) {
      child_.reset();
      throw search::CandidateError("its examination took longer than search.trial_seconds = " +
                                   core::number(o_.most_seconds));
    }
    if (o_.most_mebibytes == 0) return;
    const int64_t used = resident_mebibytes(child_->process().pid());
    if (used <= o_.most_mebibytes) return;
    child_.reset();
    throw search::CandidateError("its examination used " + core::thousands(used) +
                                 " MiB of memory; search.trial_mebibytes = " + core::thousands(o_.most_mebibytes));
  }

  // It may have a training to pause.
  [[noreturn]] void stop() {
    child_->process().send(SIGTERM);
    const auto until = Clock::now() + kGrace;
    while (child_->process().running() && Clock::now() < until) child_->channel().receive(kLook);
    child_.reset();
    throw stopped();
  }

  static core::Stopped stopped() { return core::Stopped("search: stopped while a candidate was examined"); }

  void take(const Answer& answer, search::Findings& findings) {
    switch (answer.kind) {
      case Answer::Kind::Findings: findings = answer.findings; return;
      case Answer::Kind::Failed: throw search::CandidateError(answer.text);
      case Answer::Kind::Stopped:
        if (core::stop_requested()) throw stopped();
        throw core::Error("its process was told to stop by somebody else", ExitCode::Requeue);
      default: throw core::Error(answer.text, static_cast<ExitCode>(answer.code));
    }
  }

  const ExaminerOptions o_;
  const std::vector<std::string> finds_;
  std::optional<Child> child_;
};

Answer examine(const search::Space& space, const search::Inquisitor& inquisitor, const search::ProbeContext& context) {
  try {
    return {.kind = Answer::Kind::Findings, .findings = inquisitor.examine(space.expand(context.genotype), context)};
  } catch (const search::CandidateError& e) {
    return {.kind = Answer::Kind::Failed, .text = e.what()};
  } catch (const arch::SpecError& e) {
    return {.kind = Answer::Kind::Failed, .text = e.what()};
  } catch (const core::Stopped& e) {
    return {.kind = Answer::Kind::Stopped, .text = e.what()};
  } catch (const core::Error& e) {
    return {.kind = Answer::Kind::Trouble, .text = e.what(), .code = static_cast<int>(e.code())};
  } catch (const std::exception& e) {
    return {.kind = Answer::Kind::Trouble, .text = e.what()};
  }
}

}  // namespace

std::unique_ptr<search::Probe> make_examiner(ExaminerOptions options, std::vector<std::string> finds) {
  return std::make_unique<Examiner>(std::move(options), std::move(finds));
}

int serve_examiner(RunContext& run, core::Channel channel) {
  const search::Inquisitor inquisitor(make_probes(run));
  while (!channel.closed() && !core::stop_requested()) {
    const auto question = channel.receive(std::chrono::seconds(1));
    if (!question) continue;
    search::ProbeContext context = read_question(*question);
    auto told = Clock::now() - std::chrono::seconds(1);
    context.on_progress = [&](double fraction, const std::string& doing) {
      if (Clock::now() - told < kLook) return;
      told = Clock::now();
      channel.send(answer_text({.kind = Answer::Kind::Progress, .fraction = fraction, .text = doing}));
    };
    channel.send(answer_text(examine(*run.config.space, inquisitor, context)));
  }
  return core::stop_requested() ? static_cast<int>(core::stop_code()) : 0;
}

}  // namespace condenser::cli
