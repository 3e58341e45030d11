// Records to JSON and back, driven by their lists of fields.

#include "cli/records/records.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "condenser/core/config.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

template <class V, class F>
requires std::is_same_v<std::remove_const_t<V>, search::Verdict>
void fields_of(V& v, F&& f) {
  f("rule", v.rule);
  f("passed", v.passed);
  f("node", v.node);
  f("value", v.value);
  f("limit", v.limit);
}
template <class T, class F>
requires requires(T& r, F& f) { std::remove_const_t<T>::fields(r, f); }
void fields_of(T& record, F&& f) { std::remove_const_t<T>::fields(record, f); }

template <class T>
constexpr bool kMayBeMissing = false;
template <class T>
constexpr bool kMayBeMissing<Maybe<T>> = true;

Json json_of(const std::string& v) { return v; }
Json json_of(bool v) { return v; }
Json json_of(int64_t v) { return v; }
Json json_of(uint64_t v) { return v; }
Json json_of(double v) { return v; }
template <class T>
Json json_of(const std::optional<T>& v);
template <class T>
Json json_of(const std::vector<T>& v);
template <class T>
Json json_of(const std::map<std::string, T>& v);
template <class T>
requires std::is_class_v<T> Json json_of(const T& record) {
  Json j = Json::object();
  fields_of(record, [&](const char* key, const auto& value) {
    if constexpr (kMayBeMissing<std::decay_t<decltype(value)>>) {
      if (value) j[key] = json_of(*value);
    } else {
      j[key] = json_of(value);
    }
  });
  return j;
}
template <class T>
Json json_of(const std::optional<T>& v) {
  return v ? json_of(*v) : Json(nullptr);
}
template <class T>
Json json_of(const std::vector<T>& v) {
  Json j = Json::array();
  for (const auto& item : v) j.push_back(json_of(static_cast<const T&>(item)));
  return j;
}
template <class T>
Json json_of(const std::map<std::string, T>& v) {
  Json j = Json::object();
  for (const auto& [key, value] : v) j[key] = json_of(value);
  return j;
}

// The place of a value in a file, for messages.
struct Place {
  std::string file, path;
  const RecordFile& record;

  Place at(const std::string& key) const { return {file, path.empty() ? key : path + "." + key, record}; }
  Place at(size_t index) const { return {file, path + "[" + std::to_string(index) + "]", record}; }
  core::Error error(const std::string& what) const {
    return core::Error(core::printable(file + ": " + (path.empty() ? "" : "key " + path + ": ") + what) +
                       "; `condenser " + record.verb + "` writes the file anew");
  }
};

core::Error wrong_type(const Place& place, const Json& j, const char* expected) {
  return place.error(std::string(j.type_name()) + "; expected " + expected);
}

void read(const Json& j, const Place& place, std::string& v) {
  if (!j.is_string()) throw wrong_type(place, j, "text");
  v = j.get<std::string>();
}
void read(const Json& j, const Place& place, bool& v) {
  if (!j.is_boolean()) throw wrong_type(place, j, "true or false");
  v = j.get<bool>();
}
void read(const Json& j, const Place& place, int64_t& v) {
  if (!j.is_number_integer() || (j.is_number_unsigned() && j.get<uint64_t>() > INT64_MAX))
    throw wrong_type(place, j, "a whole number");
  v = j.get<int64_t>();
}
void read(const Json& j, const Place& place, uint64_t& v) {
  if (!j.is_number_unsigned()) throw wrong_type(place, j, "a whole number, not below 0");
  v = j.get<uint64_t>();
}
void read(const Json& j, const Place& place, double& v) {
  if (!j.is_number()) throw wrong_type(place, j, "a number");
  v = j.get<double>();
}
template <class T>
void read(const Json& j, const Place& place, std::optional<T>& v);
template <class T>
void read(const Json& j, const Place& place, std::vector<T>& v);
template <class T>
void read(const Json& j, const Place& place, std::map<std::string, T>& v);

// `extra`: a key that belongs to the file and not to the struct.
template <class T>
requires std::is_class_v<T>
void read(const Json& j, const Place& place, T& record, const char* extra = "") {
  if (!j.is_object()) throw wrong_type(place, j, "an object");
  std::vector<std::string> known;
  fields_of(record, [&](const char* key, auto& value) {
    known.push_back(key);
    const bool there = j.contains(key);
    if constexpr (kMayBeMissing<std::decay_t<decltype(value)>>) {
      if (there) read(j.at(key), place.at(std::string(key)), value.emplace());
    } else {
      if (!there) throw place.at(std::string(key)).error("is missing");
      read(j.at(key), place.at(std::string(key)), value);
    }
  });
  for (const auto& [key, value] : j.items()) {
    if (key == extra || std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = core::config::nearest(key, known);
    throw place.at(key).error("is unknown" + (near.empty() ? "" : "; expected " + near));
  }
}
template <class T>
void read(const Json& j, const Place& place, std::optional<T>& v) {
  v.reset();
  if (!j.is_null()) read(j, place, v.emplace());
}
template <class T>
void read(const Json& j, const Place& place, std::vector<T>& v) {
  if (!j.is_array()) throw wrong_type(place, j, "a list");
  v.assign(j.size(), T());
  for (size_t i = 0; i < j.size(); ++i) read(j[i], place.at(i), v[i]);
}
template <class T>
void read(const Json& j, const Place& place, std::map<std::string, T>& v) {
  if (!j.is_object()) throw wrong_type(place, j, "an object");
  v.clear();
  for (const auto& [key, value] : j.items()) read(value, place.at(key), v[key]);
}

constexpr char kVersionKey[] = "schema_version";

}  // namespace

std::string lines_of(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) text += name + ": " + value + "\n";
  return text;
}

std::string key_of(const Settings& settings) { return core::hash128(lines_of(settings)).hex(); }

template <class Record>
std::string to_text(const Record& record) {
  Json j;
  j[kVersionKey] = Record::kFile.version;
  j.update(json_of(record));
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class Record>
Record from_text(const std::string& text, const std::string& where) {
  const Place place{where, "", Record::kFile};
  const Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded()) throw place.error("not valid JSON");
  if (!j.is_object()) throw wrong_type(place, j, "an object");
  int64_t version = 0;
  if (!j.contains(kVersionKey)) throw place.at(std::string(kVersionKey)).error("is missing");
  read(j.at(kVersionKey), place.at(std::string(kVersionKey)), version);
  if (version != Record::kFile.version)
    throw place.at(std::string(kVersionKey))
        .error(std::to_string(version) + "; expected " + std::to_string(Record::kFile.version));
  Record record;
  read(j, place, record, kVersionKey);
  return record;
}

template <class Record>
Record read_record(const fs::path& folder) {
  const fs::path file = file_of<Record>(folder);
  if (!fs::exists(file))
    throw core::Error(core::printable(file.string()) + " is missing; `condenser " + Record::kFile.verb + "` writes it");
  return from_text<Record>(core::read_file(file), file.string());
}

template <class Record>
std::optional<Record> find_record(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(file_of<Record>(folder), ignored)) return std::nullopt;
  return read_record<Record>(folder);
}

template <class Record>
void write_record(const fs::path& folder, const Record& record) {
  core::write_atomic(file_of<Record>(folder), to_text(record));
}

#define CONDENSER_RECORD(R)                                        \
  template std::string to_text(const R&);                          \
  template R from_text<R>(const std::string&, const std::string&); \
  template R read_record<R>(const fs::path&);                      \
  template std::optional<R> find_record<R>(const fs::path&);       \
  template void write_record(const fs::path&, const R&);
CONDENSER_RECORD(Learned)
CONDENSER_RECORD(WinnerRecord)
CONDENSER_RECORD(TrainRecord)
CONDENSER_RECORD(QuantRecord)
CONDENSER_RECORD(ExportRecord)
CONDENSER_RECORD(VerifyRecord)
CONDENSER_RECORD(CertificateRecord)
CONDENSER_RECORD(EnvironmentRecord)
CONDENSER_RECORD(RunStatus)
CONDENSER_RECORD(EvaluationRecord)
CONDENSER_RECORD(DataRecord)
CONDENSER_RECORD(ImportRecord)
#undef CONDENSER_RECORD

}  // namespace condenser::cli
