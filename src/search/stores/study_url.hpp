#pragma once
// How a study is named: a file, sqlite:FILE, or postgresql://user@host:port/database?study=NAME.

#include <string>

namespace condenser::search {

struct StudyUrl {
  enum class Kind { Sqlite, Postgresql } kind = Kind::Sqlite;
  std::string where;     // the file, or the URL as libpq takes it; may hold a password
  std::string study;     // PostgreSQL: one database holds many
  std::string password;  // as it stands in `where`; "": none

  std::string printable() const;                         // names the study, without the password
  std::string without_password(std::string text) const;  // of messages of others
};
// Throws core::ConfigError.
StudyUrl parse_study_url(const std::string& url);

}  // namespace condenser::search
