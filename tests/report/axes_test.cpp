// Ticks tell their values: each reads back to its place, and no two are the same text.

#include "report/axes.hpp"

#include <cmath>
#include <cstdlib>
#include <set>

#include "support/catch.hpp"

using namespace condenser::report;

TEST_CASE("ticks read back as their values over the range of doubles", "[report]") {
  for (const auto& [low, high] :
       {std::pair(0.0, 1.0), std::pair(0.0, 7.018383712e-09), std::pair(1e6, 1.01e6), std::pair(-3e-5, 4e-5),
        std::pair(0.69314, 0.6932), std::pair(1e30, 2e30), std::pair(-1e300, 1e300), std::pair(1e-300, 3e-300),
        std::pair(99.8, 100.0), std::pair(5.0, 5.0), std::pair(0.0, 0.0), std::pair(123456.0, 123457.0)}) {
    const Axis axis = axis_of(low, high, false);
    INFO(low << " to " << high);
    CHECK(axis.low <= low + axis.step * 1e-6);
    CHECK(axis.high >= high - axis.step * 1e-6);
    const auto ticks = axis.ticks();
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 12);
    std::set<std::string> texts;
    for (const double tick : ticks) {
      const std::string text = axis.text(tick);
      INFO(text);
      CHECK(std::abs(std::strtod(text.c_str(), nullptr) - tick) <= axis.step * 1e-3);
      CHECK(text.size() <= 9);
      texts.insert(text);
    }
    CHECK(texts.size() == ticks.size());
  }
}

TEST_CASE("axes of factors", "[report]") {
  const Axis axis = log_axis(470'000, 2'900'000);
  CHECK(axis.logarithmic);
  std::vector<std::string> texts;
  for (const double tick : axis.ticks()) texts.push_back(axis.text(tick));
  CHECK(texts == std::vector<std::string>{"500 k", "1 M", "2 M"});
  CHECK(axis.place(470'000) > 0);
  CHECK(axis.place(2'900'000) < 1);
  CHECK(!log_axis(0, 10).logarithmic);
  CHECK(!log_axis(9, 10).logarithmic);
  CHECK(log_axis(1, 1e12).ticks().size() < 20);
}

TEST_CASE("every colour of the pictures keeps its contrast in the dark", "[report]") {
  const auto dark = [](const std::string& light) {
    for (const Twin& t : twins())
      if (light == t.light) return std::string(t.dark);
    return std::string();
  };
  for (const char* ink : {kInk, kMuted, kAccent, kTrainColour}) {
    INFO(ink);
    CHECK(contrast(ink, kSheet) >= 3);
    CHECK(contrast(dark(ink), dark(kSheet)) >= 4.5);
    CHECK(contrast(dark(ink), dark(kPanel)) >= 4.5);
  }
  for (const auto* ramp : {&kBlues, &kOranges})
    for (const char* colour : *ramp) {
      INFO(colour);
      // what is written on it is the one of the two with more contrast in the light; its twin must do in the dark
      const char* ink = contrast(colour, kSheet) > contrast(colour, kInk) ? kSheet : kInk;
      CHECK(contrast(colour, ink) >= 4.4);
      CHECK(contrast(dark(colour), dark(ink)) >= 4.4);
    }
}
