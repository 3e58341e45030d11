// Folders in the layout of Speech Commands: splits, made-up classes, changes of the waveform, refusals.
#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <thread>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/rng.hpp"
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;
namespace fs = std::filesystem;

namespace {

constexpr int kClip = 800;  // samples: 100 ms at 8 kHz

// A tone of its own for every number; `samples` long.
std::string tone(int number, int samples = kClip, int rate = 8000) {
  std::string data;
  for (int n = 0; n < samples; ++n) {
    data += little_endian(static_cast<uint16_t>(std::lround(9000 * std::sin(0.01 * (number + 7) * n))), 2);
  }
  return wav_bytes({.rate = rate}, data);
}

// yes and no of four speakers each, other words, two recordings of noise. Speaker c is for validation, d for test.
struct Example {
  Example() {
    int number = 0;
    for (const char* word : {"no", "yes", "tree", "bird"}) {
      for (const char* speaker : {"aa", "bb", "cc", "dd"}) {
        folder.write(std::string("set/") + word + "/" + speaker + "_nohash_0.wav", tone(number++));
      }
    }
    folder.write("set/_background_noise_/hum.wav", tone(50, 20 * kClip));
    folder.write("set/_background_noise_/hiss.wav", tone(90, 30 * kClip));
    folder.write("set/_background_noise_/README.md", "not a sound");
    folder.write("set/validation_list.txt", list("cc"));
    folder.write("set/testing_list.txt", list("dd"));
  }

  static std::string list(const std::string& speaker) {
    std::string lines;
    for (const char* word : {"yes", "no", "tree", "bird"})
      lines += std::string(word) + "/" + speaker + "_nohash_0.wav\n";
    return lines;
  }

  Card card(const std::string& classes = "\"no\", \"yes\"", const std::string& more = "") const {
    folder.write("card.yaml",
                 "condenser_card: 1\nname: words\nformat: wav_folder\nsample_rate: 8000\nclip_ms: 100\n"
                 "features: {bands: 20, coefficients: 8, high_hz: 4000}\nclasses: [" +
                     classes + "]\nmean: [-3]\nstd: [4]\n" + more +
                     "splits:\n  train: [{path: set}]\n  validation: [{path: set}]\n  test: [{path: set}]\n");
    return read_card(folder.path());
  }
  std::string error(const std::string& split = "train", const std::string& classes = "\"no\", \"yes\"") const {
    return error_of([&] { open_split(card(classes), split); });
  }

  TempFolder folder;
};

std::vector<std::string> names(const Dataset& dataset, const fs::path& root) {
  std::vector<std::string> all;
  for (int64_t i = 0; i < dataset.size(); ++i) all.push_back(fs::path(dataset.name(i)).lexically_relative(root));
  return all;
}

std::vector<int> labels(const Dataset& dataset) {
  std::vector<int> all;
  for (int64_t i = 0; i < dataset.size(); ++i) all.push_back(dataset.label(i));
  return all;
}

std::vector<float> get(const Dataset& dataset, int64_t i) {
  std::vector<float> out(dataset.shape().elements());
  dataset.get(i, out);
  return out;
}

std::vector<float> draw(const Dataset& dataset, int64_t i, const SampleAugment& augment, uint64_t seed = 1) {
  std::vector<float> out(dataset.shape().elements());
  condenser::core::Rng rng(seed);
  dataset.draw(i, augment, rng, out);
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("lists say what is for validation and test", "[wav_folder]") {
  const Example example;
  const Card card = example.card();
  const auto train = open_split(card, "train");
  CHECK(names(*train, example.folder.path() / "set") ==
        Names{"no/aa_nohash_0.wav", "no/bb_nohash_0.wav", "yes/aa_nohash_0.wav", "yes/bb_nohash_0.wav"});
  CHECK(labels(*train) == std::vector<int>{0, 0, 1, 1});
  CHECK(names(*open_split(card, "validation"), example.folder.path() / "set") ==
        Names{"no/cc_nohash_0.wav", "yes/cc_nohash_0.wav"});
  CHECK(names(*open_split(card, "test"), example.folder.path() / "set") ==
        Names{"no/dd_nohash_0.wav", "yes/dd_nohash_0.wav"});
  CHECK(train->shape() == ItemShape{1, 4, 8});
  CHECK(train->classes() == Names{"no", "yes"});
}

TEST_CASE("items are normalized features", "[wav_folder]") {
  const Example example;
  const Card card = example.card();
  const auto dataset = open_split(card, "train");
  const FrontEnd front_end(card.audio);
  std::vector<float> sound(kClip);
  for (int n = 0; n < kClip; ++n) sound[n] = static_cast<float>(std::lround(9000 * std::sin(0.07 * n)));
  std::vector<float> wave(kClip), expected(front_end.shape().elements());
  std::ranges::transform(sound, wave.begin(), [&](float x) { return front_end.gain(sound) * x; });
  front_end.run(wave, expected);
  for (float& value : expected) value = (value + 3) / 4;
  CHECK(get(*dataset, 0) == expected);
  CHECK(get(*dataset, 0) == expected);  // as kept
  CHECK(contains(error_of([&] { get(*dataset, 4); }), "item 4 asked for; it holds 4"));
}

TEST_CASE("the same features from many threads", "[wav_folder]") {
  const Example example;
  const auto shared = open_split(example.card(), "train"), alone = open_split(example.card(), "train");
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> found(16);
  for (int t = 0; t < 16; ++t) threads.emplace_back([&, t] { found[t] = get(*shared, t % 4); });
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 16; ++t) CHECK(found[t] == get(*alone, t % 4));
}

TEST_CASE("_unknown_ and _silence_ are made up when they have no folder", "[wav_folder]") {
  const Example example;
  const std::string classes = "\"no\", \"yes\", _silence_, _unknown_";
  const Card card = example.card(classes, "unknown_share: 0.5\nsilence_share: 0.75\n");
  const auto train = open_split(card, "train");
  CHECK(labels(*train) == std::vector<int>{0, 0, 1, 1, 2, 2, 2, 3, 3});
  for (int64_t i : {7, 8}) {
    const std::string name = train->name(i);
    CHECK((contains(name, "/tree/") || contains(name, "/bird/")));
    CHECK((contains(name, "aa_nohash") || contains(name, "bb_nohash")));
  }
  const auto again = open_split(card, "train");
  CHECK(names(*train, "/") == names(*again, "/"));
  for (int64_t i = 4; i < 7; ++i) CHECK(get(*train, i) == get(*again, i));
  CHECK(get(*train, 4) != get(*train, 6));  // the same recording, another place
  CHECK(labels(*open_split(card, "test")) == std::vector<int>{0, 1, 2, 2, 3});
  // A folder of that name is taken as it is.
  example.folder.write("set/_unknown_/house_ee_nohash_0.wav", tone(70));
  CHECK(contains(open_split(card, "train")->name(7), "_unknown_/house_ee"));
}

TEST_CASE("without lists speakers are dealt out", "[wav_folder]") {
  const Example example;
  fs::remove(example.folder.path() / "set/validation_list.txt");
  fs::remove(example.folder.path() / "set/testing_list.txt");
  for (int speaker = 0; speaker < 60; ++speaker) {
    for (const char* word : {"yes", "no"}) {
      example.folder.write(std::string("set/") + word + "/" + std::to_string(1000 + speaker) + "_nohash_0.wav",
                           tone(1));
    }
  }
  std::map<std::string, std::string> split_of;
  std::map<std::string, int> sizes;
  for (const std::string split : {"train", "validation", "test"}) {
    for (const std::string& name : names(*open_split(example.card(), split), "/")) {
      const std::string speaker = fs::path(name).filename().string().substr(0, 4);
      CHECK(split_of.try_emplace(speaker, split).first->second == split);
      ++sizes[split];
    }
  }
  CHECK(sizes["train"] + sizes["validation"] + sizes["test"] == 128);
  CHECK(sizes["train"] > 80);
  CHECK(sizes["validation"] > 2);
  CHECK(sizes["test"] > 2);
}

TEST_CASE("a split with a folder of its own has all clips in it, whatever they are called", "[wav_folder]") {
  TempFolder folder;
  for (const char* part : {"train", "test"})
    for (int i = 0; i < 12; ++i) {
      const std::string name = std::string(part) + "/no/anna_nohash_" + std::to_string(i) + ".wav";
      folder.write(name, tone(i));
      folder.write(std::string(part) + "/yes/deeper/" + std::to_string(i) + ".WAV", tone(i + 20));
    }
  folder.write("train/yes/notes.txt", "not a sound");
  folder.write("card.yaml",
               "condenser_card: 1\nname: own\nformat: wav_folder\nsample_rate: 8000\nclip_ms: 100\n"
               "features: {bands: 20, coefficients: 8, high_hz: 4000}\nclasses: [\"no\", \"yes\"]\n"
               "splits:\n  train: [{path: train}]\n  test: [{path: test}]\n");
  const Card card = read_card(folder.path() / "card.yaml");
  std::vector<Unused> unused;
  OpenOptions options;
  options.on_unused = [&](const Unused& entry) { unused.push_back(entry); };
  for (const char* part : {"train", "test"}) CHECK(open_split(card, part, options)->size() == 24);
  REQUIRE(unused.size() == 1);
  CHECK(unused[0].count == 1);
  CHECK(contains(unused[0].first.at(0), "notes.txt"));
}

TEST_CASE("one folder spelled in two ways is shared, and lists are obeyed by a card with one part", "[wav_folder]") {
  const Example example;
  const auto size = [&](const std::string& splits, const char* split) {
    example.folder.write(
        "card.yaml",
        "condenser_card: 1\nname: words\nformat: wav_folder\nsample_rate: 8000\nclip_ms: 100\n"
        "features: {bands: 20, coefficients: 8, high_hz: 4000}\nclasses: [\"no\", \"yes\"]\nsplits:\n" +
            splits);
    return open_split(read_card(example.folder.path() / "card.yaml"), split)->size();
  };
  const std::string both = "  train: [{path: set}]\n  test: [{path: ./set/}]\n";
  CHECK(size(both, "train") == 4);
  CHECK(size(both, "test") == 2);
  CHECK(size("  train: [{path: set}]\n", "train") == 4);
}

TEST_CASE("a class without clips to learn from is an error that names it", "[wav_folder]") {
  TempFolder folder;
  folder.write("set/yes/a.wav", tone(1));
  fs::create_directories(folder.path() / "set/no");
  folder.write("card.yaml",
               "condenser_card: 1\nname: own\nformat: wav_folder\nsample_rate: 8000\nclip_ms: 100\n"
               "features: {bands: 20, coefficients: 8, high_hz: 4000}\nclasses: [\"no\", \"yes\"]\n"
               "splits:\n  train: [{path: set}]\n");
  const Card card = read_card(folder.path() / "card.yaml");
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "no item of class"));
}

TEST_CASE("the level of a clip does not matter when it is divided by its peak", "[wav_folder]") {
  const auto features = [](int format, int bits, double factor) {
    TempFolder folder;
    std::string data;
    for (int n = 0; n < kClip; ++n) {
      const double x = std::lround(9000 * std::sin(0.07 * n)) * factor;
      data += bits == 16 ? little_endian(static_cast<uint16_t>(std::lround(x)), 2)
                         : little_endian(std::bit_cast<uint32_t>(static_cast<float>(x)), 4);
    }
    folder.write("set/yes/a.wav", wav_bytes({.format = format, .rate = 8000, .bits = bits}, data));
    folder.write("set/no/a.wav", tone(3));
    folder.write("card.yaml",
                 "condenser_card: 1\nname: own\nformat: wav_folder\nsample_rate: 8000\nclip_ms: 100\n"
                 "features: {bands: 20, coefficients: 8, high_hz: 4000}\nclasses: [\"yes\", \"no\"]\n"
                 "splits:\n  train: [{path: set}]\n");
    return get(*open_split(read_card(folder.path() / "card.yaml"), "train"), 0);
  };
  const auto expected = features(1, 16, 1);
  for (const double factor : {1 / 32768.0, 6 / 32768.0, 1.0}) {
    const auto found = features(3, 32, factor);
    for (size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-3).margin(1e-2));
  }
}

TEST_CASE("lists decide about a speaker in two splits, and it is said once", "[wav_folder]") {
  const Example example;
  example.folder.write("set/no/two_dd_nohash_1.WAV", tone(3));  // not in the testing list
  std::vector<Finding> findings;
  OpenOptions options;
  options.on_finding = [&](const Finding& finding) { findings.push_back(finding); };
  CHECK(open_split(example.card(), "train", options)->size() == 5);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == "speaker_in_two_splits");
  CHECK(findings[0].items == Names{"speaker dd: bird/dd_nohash_0.wav is in test, no/two_dd_nohash_1.WAV in train"});
  for (const char* split : {"validation", "test"}) open_split(example.card(), split, options);
  CHECK(findings.size() == 1);
  fs::remove(example.folder.path() / "set/no/two_dd_nohash_1.WAV");
  example.folder.write("set/no/two_dd_nohash_1.wav", tone(3));
  example.folder.write("set/testing_list.txt", Example::list("dd") + "no/two_dd_nohash_1.wav\r\n");
  CHECK(open_split(example.card(), "test")->size() == 3);
}

TEST_CASE("odd headers and channels that cancel are findings", "[wav_folder]") {
  const Example example;
  std::string stream = tone(0), rate = tone(1), stereo;
  stream.replace(stream.find("data") + 4, 4, little_endian(0x7ffff000, 4));
  rate.replace(rate.find("fmt ") + 16, 4, little_endian(32000, 4));
  for (int n = 0; n < kClip; ++n)
    for (const int sign : {1, -1}) stereo += little_endian(static_cast<uint16_t>(sign * (n % 300) * 20), 2);
  example.folder.write("set/no/aa_nohash_0.wav", stream);
  example.folder.write("set/no/bb_nohash_0.wav", rate);
  example.folder.write("set/yes/aa_nohash_0.wav", wav_bytes({.channels = 2, .rate = 8000}, stereo));
  example.folder.write("card.yaml", "beside");
  std::map<std::string, std::vector<std::string>> findings;
  OpenOptions options;
  options.on_finding = [&](const Finding& finding) { findings[finding.kind] = finding.items; };
  CHECK(open_split(example.card(), "train", options)->size() == 4);
  using Found = std::map<std::string, std::vector<std::string>>;
  CHECK(findings == Found{{"wav_byte_rate", {"no/bb_nohash_0.wav"}},
                          {"wav_unwritten_size", {"no/aa_nohash_0.wav"}},
                          {"channels_cancel", {"yes/aa_nohash_0.wav"}}});
}

TEST_CASE("features of a card with time in columns are those of rows, transposed, also when changed", "[wav_folder]") {
  const Example example;
  Card rows = example.card(), columns = rows;
  columns.audio.features.time = "columns";
  columns.shape = {1, rows.shape.w, rows.shape.h};
  const auto a = open_split(rows, "train"), b = open_split(columns, "train");
  for (const SampleAugment& augment : {SampleAugment{}, SampleAugment{.time_shift_ms = 40},
                                       SampleAugment{.noise_probability = 1, .noise_volume = 0.5}}) {
    const auto down = draw(*a, 1, augment, 5), across = draw(*b, 1, augment, 5);
    for (int64_t frame = 0; frame < rows.shape.h; ++frame)
      for (int64_t k = 0; k < rows.shape.w; ++k)
        CHECK(down[static_cast<size_t>(frame * rows.shape.w + k)] ==
              across[static_cast<size_t>(k * rows.shape.h + frame)]);
  }
}

TEST_CASE("draw shifts the waveform and adds noise", "[wav_folder]") {
  const Example example;
  const auto dataset = open_split(example.card(), "train");
  const auto plain = get(*dataset, 0);
  CHECK(draw(*dataset, 0, {}) == plain);
  CHECK(draw(*dataset, 0, {.crop_area = 0.5}) == plain);  // nothing for sounds
  const SampleAugment shifted{.time_shift_ms = 30};
  CHECK(draw(*dataset, 0, shifted) != plain);
  CHECK(draw(*dataset, 0, shifted) == draw(*dataset, 0, shifted));
  CHECK(draw(*dataset, 0, shifted, 1) != draw(*dataset, 0, shifted, 2));
  const SampleAugment never{.time_shift_ms = 0, .noise_probability = 1e-12}, noisy{.noise_probability = 1};
  CHECK(draw(*dataset, 0, never) == plain);
  CHECK(draw(*dataset, 0, noisy) != plain);
  CHECK(draw(*dataset, 0, noisy) == draw(*dataset, 0, noisy));
  // The louder the noise, the further away.
  const auto distance = [&](double volume) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const auto changed = draw(*dataset, 0, {.noise_probability = 1, .noise_volume = volume}, seed);
      for (size_t k = 0; k < plain.size(); ++k) sum += std::abs(changed[k] - plain[k]);
    }
    return sum;
  };
  CHECK(distance(0.001) < distance(0.5));
  // Large shifts: all kinds of places, silence too.
  const std::set<std::vector<float>> different = [&] {
    std::set<std::vector<float>> all;
    for (uint64_t seed = 1; seed <= 20; ++seed) all.insert(draw(*dataset, 0, {.time_shift_ms = 1000}, seed));
    return all;
  }();
  CHECK(different.size() > 15);
}

TEST_CASE("the noise of a set without recordings is its silence", "[wav_folder]") {
  const Example example;
  fs::remove_all(example.folder.path() / "set/_background_noise_");
  const SampleAugment noisy{.noise_probability = 1};
  const auto without = open_split(example.card(), "train");
  CHECK(contains(error_of([&] { draw(*without, 0, noisy); }), "noise_probability"));
  example.folder.write("set/_silence_/17.wav", tone(60));
  const auto with = open_split(example.card("\"no\", \"yes\", _silence_"), "train");
  REQUIRE(with->size() == 5);
  CHECK(draw(*with, 0, noisy) != get(*with, 0));
}

TEST_CASE("short clips are followed by silence, long ones cut with a word", "[wav_folder]") {
  const Example example;
  const auto before = open_split(example.card(), "train");
  example.folder.write("set/no/aa_nohash_0.wav", tone(0, kClip + 100));
  example.folder.write("set/no/bb_nohash_0.wav", tone(1, kClip / 2));
  condenser::core::log::set_file(example.folder.path() / "log");
  const auto after = open_split(example.card(), "train");
  condenser::core::log::set_file("");
  CHECK(get(*after, 0) == get(*before, 0));
  const auto whole = get(*before, 1), half = get(*after, 1);
  for (int k = 0; k < 8; ++k) CHECK(half[k] == Approx(whole[k]).margin(0.01));  // the peak is not quite the same
  CHECK(half[3 * 8] < whole[3 * 8] - 1);                                        // the energy of the last frame
  CHECK(contains(condenser::core::read_file(example.folder.path() / "log"), "1 clips are longer than clip_ms = 100"));
}

TEST_CASE("what is wrong with a folder of words is said", "[wav_folder]") {
  const Example example;
  CHECK(example.error().empty());
  CHECK(contains(example.error("train", "\"no\", \"yess\""), "yess: no such folder; expected one for every class"));
  CHECK(contains(example.error("train", "\"no\", \"yess\""), "did you mean yes?"));
  const std::string good = tone(0);
  const auto error_with = [&](const std::string& bytes) {
    example.folder.write("set/no/aa_nohash_0.wav", bytes);
    return example.error();
  };
  CHECK(contains(error_with(good.substr(0, good.size() - 1)), "no/aa_nohash_0.wav: a chunk of 1600 bytes"));
  CHECK(contains(error_with(tone(0, kClip, 16000)), "16000 samples a second; expected 8000"));
  CHECK(contains(error_with("hello"), "not a WAV file"));
  CHECK(error_with(good).empty());
  const std::string list = Example::list("cc");
  example.folder.write("set/validation_list.txt", list + "no/zz_nohash_0.wav\n");
  CHECK(contains(example.error(), "validation_list.txt: no/zz_nohash_0.wav is listed; no such file"));
  example.folder.write("set/validation_list.txt", list + "no/dd_nohash_0.wav\n");
  CHECK(contains(example.error(), "testing_list.txt: no/dd_nohash_0.wav stands in validation_list.txt too"));
  example.folder.write("set/validation_list.txt", list);
  fs::remove_all(example.folder.path() / "set/tree");
  fs::remove_all(example.folder.path() / "set/bird");
  CHECK(contains(example.error("train", "\"no\", _unknown_, \"yes\""), "no clips for class _unknown_ in split train"));
  fs::remove_all(example.folder.path() / "set/_background_noise_");
  CHECK(contains(example.error("train", "\"no\", _silence_, \"yes\""), "nothing to cut class _silence_ from"));
}

TEST_CASE("the checksum of a folder of words covers clips and lists", "[wav_folder]") {
  const Example example;
  const fs::path set = example.folder.path() / "set";
  const std::string before = checksum(set, "wav_folder");
  example.folder.write("set/notes.txt", "no part of it");
  CHECK(checksum(set, "wav_folder") == before);
  example.folder.write("set/testing_list.txt", "");
  CHECK(checksum(set, "wav_folder") != before);
  example.folder.write("set/testing_list.txt", Example::list("dd"));
  CHECK(checksum(set, "wav_folder") == before);
  example.folder.write("set/no/aa_nohash_0.wav", tone(5));
  CHECK(checksum(set, "wav_folder") != before);
}

TEST_CASE("the shape of a card of sounds follows from its features", "[wav_folder]") {
  const Example example;
  CHECK(example.card().shape == ItemShape{1, 4, 8});
  CHECK(example.card("\"no\", \"yes\"", "shape: [1, 4, 8]\n").shape == ItemShape{1, 4, 8});
  const auto refused = [&](const std::string& more) {
    return error_of([&] { example.card("\"no\", \"yes\"", more); }, true);
  };
  CHECK(contains(refused("shape: [1, 49, 10]\n"), "shape is 1x49x10; its features are 1x4x8"));
  CHECK(contains(refused("scale: 2\n"), "scale"));
}
