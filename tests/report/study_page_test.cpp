// The page of a study: which sections there are, what stands in them, that nothing of people is markup, how large it
// is, and what a browser makes of it.

#include <nlohmann/json.hpp>

#include "condenser/core/text.hpp"
#include "condenser/search/space.hpp"
#include "report/page_rows.hpp"
#include "report/sample_study.hpp"
#include "report/xml_fault.hpp"
#include "support/absent.hpp"
#include "support/browser.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using report::StudyMaterial;

namespace {

const tests::SmallSpace kSpace;

StudyMaterial sample(int64_t trials = 400, bool forecasts = true) {
  StudyMaterial m;
  m.title = "first";
  m.subtitle = "digits, generative_synthesis";
  m.trials = tests::random_trials(trials, 8, 4, forecasts);
  m.objective = "val_accuracy";
  m.space = &kSpace;
  m.comparators = {{"DS-CNN", "trained with the same recipe", 92.5, {{"params", 23050}, {"macs", 4165248}}},
                   {"bound", "", std::nullopt, {{"params", 20000}}}};
  return m;
}

const report::Section* find(const report::Page& page, const std::string& id) {
  for (const report::Section& s : page.sections)
    if (s.id == id) return &s;
  return nullptr;
}

std::vector<std::string> ids(const report::Page& page) {
  std::vector<std::string> list;
  for (const report::Section& s : page.sections) list.push_back(s.id);
  return list;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// What the page's script gets to read.
json rows_in(const std::string& html) {
  const std::string open = "<script type=\"application/json\" id=\"rows\">";
  const size_t begin = html.find(open) + open.size();
  return json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

const json* column(const json& rows, const std::string& key) {
  for (const json& c : rows["c"])
    if (c["k"] == key) return &c;
  return nullptr;
}

std::vector<std::string> cells(const json& column) {
  std::vector<std::string> list(1);
  for (const char c : column["v"].get<std::string>()) {
    if (c == ';')
      list.emplace_back();
    else
      list.back() += c;
  }
  return list;
}

// A text as the script puts it together.
std::string text_of(const json& column, size_t row) {
  std::vector<std::string> parts(1);
  const std::string cell = cells(column)[row];
  for (const char c : cell) {
    if (c == ' ')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (parts[0].empty()) return "";
  std::string text;
  size_t next = 1;
  for (const char c : column["p"][std::stoul(parts[0])].get<std::string>()) {
    if (c == '\x01')
      text += parts.at(next++);
    else
      text += c;
  }
  return text;
}

}  // namespace

TEST_CASE("a study's page has every section that there is something to tell in", "[report]") {
  const StudyMaterial whole = sample();
  CHECK(ids(report::study_page(whole)) == std::vector<std::string>{"fronts", "progress", "trials", "networks",
                                                                   "distribution", "refusals", "proposers", "proxies",
                                                                   "forecasts"});
  StudyMaterial ladder = sample();
  for (size_t k = 0; k < ladder.trials.size(); k += 2) ladder.trials[k].fidelity = 0.25;
  for (size_t k = 1; k < ladder.trials.size(); k += 2) ladder.trials[k].rung = 1;
  CHECK(find(report::study_page(ladder), "rungs") != nullptr);

  StudyMaterial bare = sample(400, false);
  CHECK(find(report::study_page(bare), "forecasts") == nullptr);
  std::erase_if(bare.trials, [](const search::Trial& t) { return t.state == search::TrialState::Refused; });
  for (search::Trial& t : bare.trials) t.verdicts.clear();
  CHECK(find(report::study_page(bare), "refusals") == nullptr);

  StudyMaterial refused = sample();
  for (search::Trial& t : refused.trials) t.state = search::TrialState::Refused;
  CHECK(ids(report::study_page(refused)) ==
        std::vector<std::string>{"trials", "distribution", "refusals", "proposers"});

  StudyMaterial empty;
  empty.title = "nothing yet";
  CHECK(ids(report::study_page(empty)) == std::vector<std::string>{"trials"});
  CHECK(count(report::to_html(report::study_page(empty)), "<script") == 0);
}

TEST_CASE("the same study makes the same bytes", "[report]") {
  CHECK(report::to_html(report::study_page(sample())) == report::to_html(report::study_page(sample())));
}

TEST_CASE("every trial is a row, and why it was refused, dropped or kept is said", "[report]") {
  StudyMaterial m = sample(300);
  m.trials[7] = m.trials[6];
  m.trials[7].index = 7;
  m.trials[7].state = search::TrialState::Running;
  m.trials[7].worker = "w1";
  const json rows = rows_in(report::to_html(report::study_page(m)));
  REQUIRE(rows["n"] == 300);
  for (const json& c : rows["c"]) {
    INFO(c["k"]);
    CHECK(cells(c).size() == 300);
  }
  const json &fate = *column(rows, "fate"), &state = *column(rows, "state");
  size_t kept = 0, dropped = 0;
  for (size_t k = 0; k < 300; ++k) {
    const search::Trial& t = m.trials[k];
    const std::string text = text_of(fate, k);
    if (t.state == search::TrialState::Refused) CHECK(text.find(t.verdicts[0].value) != std::string::npos);
    if (t.state == search::TrialState::Failed && t.same_as < 0) CHECK(text == "failed: " + t.error);
    if (t.same_as >= 0 && t.state != search::TrialState::Refused)
      CHECK(text == "a copy: the same network as trial " + std::to_string(t.same_as));
    kept += text.starts_with("kept: ");
    dropped += text.starts_with("dropped: ") && text.find(" of ") != std::string::npos;
  }
  CHECK(text_of(state, 7) == "running");
  CHECK(kept >= 4);
  CHECK(dropped >= 50);
  CHECK(column(rows, "objective") != nullptr);
}

TEST_CASE("who is on a front is not dominated", "[report]") {
  const StudyMaterial m = sample(500);
  const report::Page page = report::study_page(m);
  const report::Section* fronts = find(page, "fronts");
  REQUIRE(fronts != nullptr);
  const auto& plots = std::get<report::Scatters>(fronts->blocks[1].what).plots;
  REQUIRE(plots.size() == 4);
  for (const report::Scatter& plot : plots) {
    REQUIRE(!plot.path.empty());
    for (const size_t row : plot.path)
      for (const search::Trial& other : m.trials) {
        if (!other.feasible() || other.same_as >= 0) continue;
        const auto& mine = m.trials[row].findings.metrics;
        const auto& its = other.findings.metrics;
        CHECK_FALSE((its.at("val_accuracy") > mine.at("val_accuracy") && its.at(plot.x) < mine.at(plot.x)));
      }
    CHECK_THAT(plot.figure.bytes, Contains("DS-CNN"));
  }
}

TEST_CASE("text of people is text in a study's page", "[report]") {
  const std::string evil = "</script><script>alert(1)</script><b>\"'&\x1b[31m\n\xff;\x01 12 |`";
  StudyMaterial m = sample(200);
  m.title = m.subtitle = m.report_file = evil;
  m.comparators[0].name = m.comparators[0].source = evil;
  for (search::Trial& t : m.trials) {
    t.by = t.reason = t.worker = evil;
    for (search::Verdict& v : t.verdicts) v.rule = v.node = v.value = v.limit = evil;
    if (t.state == search::TrialState::Failed) t.error = evil;
    t.findings.metrics[evil] = static_cast<double>(t.index);
    t.findings.node_scores[evil] = 1;
    t.findings.curves[evil] = {1, 2, 3};
  }
  const std::string html = report::to_html(report::study_page(m));
  CHECK(count(html, "<script") == 2);  // the rows, the script
  CHECK(count(html, "</script") == 2);
  CHECK(count(html, "<b>\"") == 0);
  CHECK(count(html, "\x1b") == 0);
  const json rows = rows_in(html);
  CHECK(text_of(*column(rows, "by"), 0) == core::printable(evil));
  std::string body = html.substr(html.find('\n') + 1);
  body.erase(body.find("<script type"), body.rfind("</script>") + 9 - body.find("<script type"));
  for (size_t at = body.find("<meta "); at != std::string::npos; at = body.find("<meta ", at + 1))
    body.insert(body.find('>', at), "/");
  CHECK(tests::xml_fault(body) == "");
  CHECK(json::parse(report::to_json(report::study_page(m)))["title"] ==
        json::parse(report::to_json(report::study_page(m)))["subtitle"]);
}

TEST_CASE("ten thousand trials fit three megabytes", "[report]") {
  StudyMaterial m = sample(10'000);
  auto reader = core::config::Reader::from_file(CONDENSER_SOURCE_DIR "/search/spaces/columns_digits.yaml");
  const auto space = search::make_space(reader, {{1, 28, 28}, 10});
  core::Rng rng(3);
  for (search::Trial& t : m.trials) {
    t.genotype = search::sample(*space, rng);
    for (int node = 0; node < 40; ++node) t.findings.node_scores["s1_b" + std::to_string(node)] = rng.uniform();
    for (int epoch = 0; epoch < 8; ++epoch) t.findings.curves["val_accuracy"].push_back(60 + 30 * rng.uniform());
  }
  m.space = space.get();
  const report::Page page = report::study_page(m);
  const std::string html = report::to_html(page);
  CHECK(html.size() < 3'000'000);
  CHECK(page.rows.count == 10'000);
  CHECK(count(html, "class=\"net\"") >= 50);
  CHECK(count(html, "Reactions of its nodes") >= 50);
  CHECK(count(html, "Learning curves") >= 50);
}

TEST_CASE("a score that ranks no better than size is marked", "[report]") {
  StudyMaterial m = sample(600);
  core::Rng rng(5);
  for (search::Trial& t : m.trials) {
    const auto accuracy = t.findings.metrics.find("val_accuracy");
    if (accuracy == t.findings.metrics.end()) continue;
    t.findings.metrics["noise"] = rng.uniform();
    t.findings.metrics["oracle"] = -accuracy->second;
  }
  const json page = json::parse(report::to_json(report::study_page(m)));
  std::map<std::string, json> rows;
  for (const json& section : page["sections"])
    if (section["id"] == "proxies")
      for (const json& block : section["blocks"])
        if (block.contains("table"))
          for (const json& row : block["table"]) rows[row["name"]] = row;
  CHECK(rows.at("noise")["beats_size"] == false);
  CHECK(rows.at("oracle")["beats_size"] == true);
  CHECK(rows.at("oracle")["spearman"] == -1.0);
  CHECK(rows.at("params")["beats_size"].is_null());
}

TEST_CASE("forecasts are held against what was measured", "[report]") {
  StudyMaterial m = sample(400);
  for (search::Trial& t : m.trials)  // every second is off by two of its deviations
    if (t.forecast) {
      const double measured = t.findings.metrics.at("val_accuracy"), shift = t.index % 2 == 0 ? 0 : 2;
      t.forecast = search::Forecast{measured + shift, measured + shift - 1, measured + shift + 1, 0};
    }
  size_t inside = 0, all = 0;
  for (const search::Trial& t : m.trials)
    if (t.forecast && t.same_as < 0) {
      ++all;
      inside += t.index % 2 == 0;
    }
  const report::Page page = report::study_page(m);
  const auto& lines = std::get<report::Bullets>(find(page, "forecasts")->blocks[0].what).items;
  CHECK_THAT(lines[0], Contains("Of " + std::to_string(all) + " forecasts " +
                                core::fixed(100.0 * static_cast<double>(inside) / static_cast<double>(all), 0) +
                                " % lie within one"));
  CHECK_THAT(lines[0], Contains("100 % within two"));
}

TEST_CASE("rows of a page come back as they went in", "[report]") {
  report::PageRows rows{3, {}, "row"};
  rows.columns = {{.key = "n", .title = "n", .numbers = {0, -1.5, 1e300}},
                  {.key = "t", .title = "t", .texts = {"a 1,234.5 b", "", "a 7 b"}},
                  {.key = "c", .title = "c"}};
  rows.columns[2].fields = {{"f", std::vector<std::string>(40, "x")}};
  rows.columns[2].choices = {{0}, {35}, {36}};
  const json j = json::parse(report::rows_json(rows));
  CHECK(cells(j["c"][0]) == std::vector<std::string>{"0", "-1.5", "1e+300"});
  CHECK(text_of(j["c"][1], 0) == "a 1,234.5 b");
  CHECK(text_of(j["c"][1], 1) == "");
  CHECK(text_of(j["c"][1], 2) == "a 7 b");
  CHECK(j["c"][1]["p"].size() == 1);
  CHECK(j["c"][2]["w"] == 2);
  CHECK(cells(j["c"][2]) == std::vector<std::string>{"00", "0z", "10"});
}

namespace {

// A page around the report that uses it as a reader does, and says what it found.
constexpr const char* kUse = R"(<!DOCTYPE html><meta charset="utf-8"><body><pre id="said"></pre><script>
const widths = [360, 1280];
let left = widths.length;
const say = text => document.getElementById('said').textContent += text + '\n';
const later = ms => new Promise(done => setTimeout(done, ms));
const use = async (frame, width) => {
  const page = frame.contentDocument, root = page.documentElement, outside = [];
  for (const details of page.querySelectorAll('details')) details.open = true;
  for (const e of page.body.querySelectorAll('*'))
    if (!e.closest('.scroll *, pre *, svg *') && e.getBoundingClientRect().right > width + 1) outside.push(e.tagName + '.' + e.className);
  say(width + ': wide=' + (root.scrollWidth > width) + ' outside=[' + outside + '] loaded=' +
      frame.contentWindow.performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length);
  const rows = () => page.querySelectorAll('.rows tbody tr').length;
  const first = () => page.querySelector('.rows tbody td').textContent;
  say(width + ': page of ' + rows() + ' begins with ' + first());
  page.querySelector('.rows th:nth-child(1) button').click();
  page.querySelector('.rows th:nth-child(1) button').click();
  say(width + ': sorted down begins with ' + first() + ' ' + page.querySelector('.rows th').getAttribute('aria-sort'));
  const field = page.querySelector('.rows input');
  field.value = 'trial<10';
  field.dispatchEvent(new Event('input'));
  await later(300);
  say(width + ': filtered ' + rows() + ', ' + page.querySelector('.rows [aria-live]').textContent);
  page.querySelector('.rows tbody button').click();
  say(width + ': opened ' + page.querySelectorAll('.rows td.open dl').length);
  const svg = page.querySelector('svg[data-path]');
  svg.scrollIntoView();
  svg.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
  const tip = page.querySelector('.tip');
  say(width + ': keys ' + tip.textContent.startsWith('trial ') + ' inside=' + (tip.getBoundingClientRect().right <= width));
  const ring = svg.querySelector('.ring').getBoundingClientRect();
  svg.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
  const hidden = tip.hidden;
  svg.dispatchEvent(new PointerEvent('pointermove', {clientX: ring.x + ring.width / 2, clientY: ring.y + ring.height / 2, bubbles: true}));
  say(width + ': hidden=' + hidden + ' pointer=' + !tip.hidden);
  if (--left === 0) document.body.append('done');
};
for (const width of widths) {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'border:0;height:900px;width:' + width + 'px';
  frame.onload = () => use(frame, width);
  frame.src = 'report.html';
  document.body.append(frame);
}
</script></body>)";

}  // namespace

TEST_CASE("a browser shows, sorts, filters and opens a study on phone and desk", "[report]") {
  if (tests::browser().empty()) return tests::skip_without("program: chromium", tests::kBrowsers);
  StudyMaterial m = sample(500);
  m.title = "a_name_without_any_place_to_break_it_because_people_do_that_and_more_than_once_in_a_while";
  m.comparators[0].name = "</script><script>alert(1)</script>";
  for (search::Trial& t : m.trials)
    if (t.index % 5 == 0) t.reason = t.by = "person: " + std::string(200, 'w');
  const tests::TempFolder folder;
  folder.write("report.html", report::to_html(report::study_page(m)));
  folder.write("use.html", kUse);
  const tests::Finished f = tests::look_at(folder, "use.html", 30000);
  INFO(f.out.substr(0, 4000) << f.err.substr(0, 3000));
  REQUIRE(f.code == 0);
  CHECK_THAT(f.out, Contains("done"));
  for (const std::string width : {"360", "1280"}) {
    CHECK_THAT(f.out, Contains(width + ": wide=false outside=[] loaded=0"));
    CHECK_THAT(f.out, Contains(width + ": page of 50 begins with 0"));
    CHECK_THAT(f.out, Contains(width + ": sorted down begins with 499 descending"));
    CHECK_THAT(f.out, Contains(width + ": filtered 10, 10 of 500 match, page 1 of 1"));
    CHECK_THAT(f.out, Contains(width + ": opened 1"));
    CHECK_THAT(f.out, Contains(width + ": keys true inside=true"));
    CHECK_THAT(f.out, Contains(width + ": hidden=true pointer=true"));
  }
  CHECK_THAT(f.err, !Contains("CONSOLE"));
}
