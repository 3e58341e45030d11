// The table of verbs, in the order of the overview. Each is in a file of verbs/.

#include "cli/verb.hpp"

namespace condenser::cli {

Verb run_verb();
Verb search_verb();
Verb train_verb();
Verb eval_verb();
Verb predict_verb();
Verb quantize_verb();
Verb export_verb();
Verb verify_verb();
Verb report_verb();
Verb runs_verb();
Verb study_verb();
Verb watch_verb();
Verb zoo_verb();
Verb describe_verb();
Verb card_verb();
Verb draw_verb();
Verb profile_verb();
Verb rules_verb();
Verb space_verb();
Verb compare_verb();
Verb import_verb();
Verb init_verb();
Verb data_verb();
Verb bench_verb();
Verb doctor_verb();
Verb completion_verb();
Verb examiner_verb();
Verb worker_verb();

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      run_verb(),    search_verb(),   worker_verb(), train_verb(),   eval_verb(),   predict_verb(),    quantize_verb(),
      export_verb(), verify_verb(),   report_verb(), runs_verb(),    study_verb(),  card_verb(),       watch_verb(),
      zoo_verb(),    describe_verb(), draw_verb(),   profile_verb(), rules_verb(),  space_verb(),      compare_verb(),
      import_verb(), init_verb(),     data_verb(),   bench_verb(),   doctor_verb(), completion_verb(), examiner_verb(),
  };
  return table;
}

}  // namespace condenser::cli
