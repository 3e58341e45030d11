// Zero-cost scores against slow computations of another kind: the network as plain calls of LibTorch written here,
// gradients from differences, determinants from elimination with pivots, ranks from eigenvalues.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cmath>

#include "condenser/search/probe_rows.hpp"
#include "support/catch.hpp"
#include "train/probes/probes.hpp"
#include "train/quick_run.hpp"

// LibTorch has a CHECK of its own, which ends the process.
#undef CHECK
#define CHECK(...) INTERNAL_CATCH_TEST("CHECK", Catch::ResultDisposition::ContinueOnFailure, __VA_ARGS__)

namespace condenser::train {
namespace {

using search::Findings;

// conv 3x3 -> batch norm -> relu -> mean over pixels -> linear
arch::Spec plain_net() {
  arch::Builder b("plain", {1, 8, 8});
  int x = b.add("conv", arch::Conv2d{.out = 5, .kernel = {3, 3}, .stride = {1, 1}, .pad = {1, 1, 1, 1}}, {b.input()});
  x = b.add("bn", arch::BatchNorm{}, {x});
  x = b.add("act", arch::Activation{}, {x});
  x = b.add("gap", arch::GlobalAvgPool{}, {x});
  b.add("fc", arch::Linear{.out = 3, .bias = true}, {x});
  return b.finish();
}

at::Tensor tensor(const arch::Weights& weights, const std::string& name) {
  const arch::Tensor& t = weights.at(name);
  return at::from_blob(const_cast<float*>(t.f32().data()), t.shape).to(at::kDouble);
}

struct Plain {
  at::Tensor conv, act, logits;
};

// In double, with batch statistics.
Plain plain_forward(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& matrix, const at::Tensor& bias) {
  Plain p;
  p.conv = at::conv2d(x, kernel, {}, 1, 1);
  const at::Tensor mean = p.conv.mean({0, 2, 3}, true), var = p.conv.var({0, 2, 3}, false, true);
  p.act = at::clamp_min((p.conv - mean) / at::sqrt(var + 1e-5), 0);
  p.logits = at::matmul(p.act.mean({2, 3}), matrix.t()) + bias;
  return p;
}

struct Asked {
  arch::Spec spec = plain_net();
  TrainOptions options = testing::quick();
  Stimulus stimulus = make_stimulus(*testing::stripes(90, 1), options, 12);
  Subject subject{spec, arch::random_weights(spec, 3), stimulus};

  at::Tensor kernel = tensor(subject.weights, "conv.weight"), matrix = tensor(subject.weights, "fc.weight"),
             bias = tensor(subject.weights, "fc.bias");

  double mean_loss(const at::Tensor& k, const at::Tensor& m) const {
    const at::Tensor logits = plain_forward(stimulus.x.to(at::kDouble), k, m, bias).logits;
    const double e = options.label_smoothing;
    const at::Tensor log_p = at::log_softmax(logits, 1);
    double sum = 0;
    for (int64_t i = 0; i < log_p.size(0); ++i)
      for (int64_t c = 0; c < 3; ++c)
        sum -= ((stimulus.y[static_cast<size_t>(i)] == c ? 1 - e : 0) + e / 3) * log_p[i][c].item<double>();
    return sum / static_cast<double>(log_p.size(0));
  }

  Findings score(Score s) const {
    Findings f;
    s(subject, f);
    return f;
  }
};

double length_of_gradient(at::Tensor values, const std::function<double()>& loss) {
  double squares = 0;
  double* v = values.mutable_data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double before = v[i], step = 1e-5;
    v[i] = before + step;
    const double above = loss();
    v[i] = before - step;
    const double below = loss();
    v[i] = before;
    squares += std::pow((above - below) / (2 * step), 2);
  }
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("the stimulus is the same for the same data, balanced, and smaller for larger pictures", "[train][probes]") {
  const TrainOptions options = testing::quick();
  const auto data = testing::stripes(90, 1);
  const Stimulus a = make_stimulus(*data, options, 30), b = make_stimulus(*data, options, 30);
  CHECK(at::equal(a.x, b.x));
  CHECK(a.y == b.y);
  for (int64_t c = 0; c < 3; ++c) CHECK(std::count(a.y.begin(), a.y.end(), c) == 10);
  CHECK(make_stimulus(*data, options, 1000).x.size(0) == 90);
}

TEST_CASE("grad_norm is the length of the gradients by differences", "[train][probes]") {
  Asked a;
  const double expected = length_of_gradient(a.kernel, [&] { return a.mean_loss(a.kernel, a.matrix); }) +
                          length_of_gradient(a.matrix, [&] { return a.mean_loss(a.kernel, a.matrix); });
  CHECK(a.score(grad_norm).metrics.at("grad_norm") == Approx(expected).epsilon(1e-3));
}

// Every path's product of absolute weights counts once for each of its two weights.
TEST_CASE("synflow is the sum over paths", "[train][probes]") {
  const Asked a;
  const at::Tensor inside = at::conv2d(at::ones({1, 1, 8, 8}, at::kDouble), at::abs(a.kernel), {}, 1, 1).mean({2, 3});
  const at::Tensor flow = at::matmul(inside / std::sqrt(1 + 1e-5), at::abs(a.matrix).t()).sum();
  CHECK(a.score(synflow).metrics.at("synflow") == Approx(std::log10(2 * flow.item<double>())).epsilon(1e-6));
}

TEST_CASE("naswot is the log-determinant of equal states", "[train][probes]") {
  const Asked a;
  const at::Tensor act = plain_forward(a.stimulus.x.to(at::kDouble), a.kernel, a.matrix, a.bias).act.flatten(1);
  const int64_t n = act.size(0);
  std::vector<std::vector<double>> k(static_cast<size_t>(n), std::vector<double>(static_cast<size_t>(n)));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t u = 0; u < act.size(1); ++u)
        k[static_cast<size_t>(i)][static_cast<size_t>(j)] +=
            (act[i][u].item<double>() > 0) == (act[j][u].item<double>() > 0);
  double log_det = 0;
  for (size_t p = 0; p < k.size(); ++p) {
    size_t best = p;
    for (size_t i = p; i < k.size(); ++i)
      if (std::abs(k[i][p]) > std::abs(k[best][p])) best = i;
    std::swap(k[p], k[best]);
    log_det += std::log(std::abs(k[p][p]));
    for (size_t i = p + 1; i < k.size(); ++i)
      for (size_t j = k.size(); j-- > p;) k[i][j] -= k[i][p] / k[p][p] * k[p][j];
  }
  CHECK(a.score(naswot).metrics.at("naswot") == Approx(log_det).epsilon(1e-9));
}

TEST_CASE("reactions are those of the plain network", "[train][probes]") {
  Asked a;
  Findings f = a.score(reactions);
  const auto of = [&](const char* node, const char* measure) {
    return f.node_scores.at(search::reaction_key(node, measure));
  };
  const Plain p = plain_forward(a.stimulus.x.to(at::kDouble), a.kernel, a.matrix, a.bias);
  const auto check_variety = [&](const char* node, const at::Tensor& value) {
    const at::Tensor rows = value.transpose(0, 1).flatten(1);
    const at::Tensor spread = at::sqrt((rows.var(1, /*unbiased=*/false)).mean());
    const at::Tensor eigen = std::get<0>(at::linalg_eigh(at::cov(rows)));
    const double rank = std::pow(eigen.sum().item<double>(), 2) / eigen.square().sum().item<double>() /
                        static_cast<double>(value.size(1));
    CHECK(of(node, "spread") == Approx(spread.item<double>()).epsilon(1e-4));
    CHECK(of(node, "rank") == Approx(rank).epsilon(1e-4));
  };
  check_variety("conv", p.conv);
  check_variety("act", p.act);
  check_variety("fc", p.logits);

  // Of the last layer by hand: the gradient of an image's loss is softmax - target.
  const double e = a.options.label_smoothing;
  double reaction = 0;
  for (int64_t i = 0; i < p.logits.size(0); ++i)
    for (int64_t c = 0; c < 3; ++c) {
      const double target = (a.stimulus.y[static_cast<size_t>(i)] == c ? 1 - e : 0) + e / 3;
      const double gradient = at::softmax(p.logits, 1)[i][c].item<double>() - target;
      reaction += std::abs(gradient * p.logits[i][c].item<double>());
    }
  CHECK(of("fc", "reaction") == Approx(reaction / static_cast<double>(p.logits.size(0)) / 3).epsilon(1e-4));
  CHECK(of("conv", "reaction") > 0);

  CHECK(of("act", "dead") == 0);
  CHECK(f.metrics.at("dead_units") == 0);
  CHECK(f.metrics.at("activation_rank") == Approx(100 * of("act", "rank")));
  CHECK_FALSE(f.node_scores.contains("conv:dead"));
  CHECK_FALSE(f.node_scores.contains("bn:rank"));
  for (const auto& [key, ignored] : f.node_scores) {
    const std::string measure = key.substr(key.find(':') + 1);
    CHECK(std::any_of(search::reaction_measures().begin(), search::reaction_measures().end(),
                      [&](const search::ReactionMeasure& m) { return m.name == measure; }));
  }
}

TEST_CASE("units that no image switches on are counted", "[train][probes]") {
  Asked a;
  auto gamma = a.subject.weights.tensors.at("bn.weight").f32(), beta = a.subject.weights.tensors.at("bn.bias").f32();
  for (size_t c : {1u, 4u}) gamma[c] = 0, beta[c] = -1;
  const Findings f = a.score(reactions);
  CHECK(f.node_scores.at("act:dead") == Approx(0.4));
  CHECK(f.metrics.at("dead_units") == Approx(40));
  CHECK(f.node_scores.at("act:rank") < 0.6);
}

TEST_CASE("a score that is not finite has no value", "[train][probes]") {
  Asked a;
  Findings f;
  found(f, a.subject, "synflow", INFINITY);
  found(f, a.subject, "naswot", NAN);
  CHECK(f.metrics.empty());
  for (float& w : a.subject.weights.tensors.at("fc.weight").f32()) w = 0;
  CHECK(a.score(synflow).metrics.empty());  // nothing flows: log 0
  Stimulus equal = a.stimulus;
  equal.x = at::ones_like(equal.x);
  naswot({a.spec, a.subject.weights, equal}, f);
  CHECK(f.metrics.empty());  // all images are in the same state: log 0
  for (float& w : a.subject.weights.tensors.at("fc.weight").f32()) w = NAN;
  CHECK_THROWS_AS(a.score(grad_norm), search::CandidateError);
}

TEST_CASE("a deep network has a synflow that no float holds", "[train][probes]") {
  arch::Builder b("deep", {1, 8, 8});
  int x = b.input();
  for (int i = 0; i < 60; ++i) x = arch::conv_bn_act(b, x, "c" + std::to_string(i), {.out = 16});
  arch::classifier_head(b, x, 3);
  const arch::Spec spec = b.finish();
  const Asked a;
  Findings f;
  synflow({spec, arch::random_weights(spec, 1), a.stimulus}, f);
  CHECK(f.metrics.at("synflow") > 40);
}

TEST_CASE("scores do not depend on the number of threads", "[train][probes]") {
  const auto data = testing::stripes(90, 1);
  for (const std::string& name : search::score_names()) {
    if (search::find_probe_row(name).inherits) continue;  // needs a space: supernet_test
    INFO(name);
    Findings one, three;
    TrainOptions options = testing::quick();
    search::Candidate candidate;
    candidate.spec = testing::small_net();
    options.threads = 1;
    testing::backend().make_probe({name, data, nullptr, options})->ask(candidate, {.seed = 4}, one);
    options.threads = 3;
    testing::backend().make_probe({name, data, nullptr, options})->ask(candidate, {.seed = 4}, three);
    CHECK(one == three);
    CHECK_FALSE(one == Findings{});
  }
}

TEST_CASE("a probe that does not exist is named with the nearest", "[train][probes]") {
  CHECK_THROWS_WITH(testing::backend().make_probe({"sinflow", testing::stripes(9, 1), nullptr, testing::quick()}),
                    Catch::Contains("did you mean synflow"));
}

}  // namespace condenser::train
