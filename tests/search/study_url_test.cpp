#include "search/stores/study_url.hpp"

#include "condenser/core/error.hpp"
#include "condenser/search/store.hpp"
#include "support/catch.hpp"

using namespace condenser;
using search::parse_study_url;
using Kind = search::StudyUrl::Kind;

TEST_CASE("a study is a file or lies on a server", "[search]") {
  for (const std::string url : {"runs/a b/study.sqlite", "sqlite:runs/a b/study.sqlite"}) {
    const search::StudyUrl file = parse_study_url(url);
    CHECK((file.kind == Kind::Sqlite && file.where == "runs/a b/study.sqlite"));
    CHECK(file.printable() == "runs/a b/study.sqlite");
  }
  const search::StudyUrl plain = parse_study_url("postgresql://ana@host/db");
  CHECK((plain.kind == Kind::Postgresql && plain.where == "postgresql://ana@host/db" && plain.study == "study"));
  CHECK(plain.printable() == "postgresql://ana@host/db?study=study");
  CHECK(parse_study_url("postgres://host/db?study=a").where == "postgres://host/db");
  CHECK(parse_study_url("postgresql://host/db?study=a&user=b").where == "postgresql://host/db?user=b");
  CHECK(parse_study_url("postgresql://host/db?user=b&study=a-1_").where == "postgresql://host/db?user=b");
  CHECK(parse_study_url("postgresql://host/db?user=b&study=a&x=1").where == "postgresql://host/db?user=b&x=1");
  CHECK(parse_study_url("postgresql://host/db?mystudy=a").study == "study");
  CHECK_THROWS_WITH(parse_study_url("mysql://ana:secret@host/db"),
                    Catch::Contains("mysql://") && Catch::Contains("expected") && !Catch::Contains("secret"));
  const std::vector<std::string> bad = {"A", "a\"; DROP TABLE trials", "a'", "a.b", "%41", std::string(41, 'a')};
  for (const std::string& name : bad)
    CHECK_THROWS_AS(parse_study_url("postgresql://ana:secret@host/db?study=" + name), core::ConfigError);
}

TEST_CASE("the name of a study shows no password", "[search]") {
  for (const std::string url : {"postgresql://ana:pa%40ss@host/db", "postgresql://ana:pa%40ss@host/db?study=x",
                                "postgresql://host/db?user=ana&password=pa%40ss", "postgresql://ana:pa%40ss@host",
                                "postgresql://ana:p:a@pa%40ss@host/db?x=1"}) {
    INFO(url);
    const std::string name = search::printable_study(url);
    CHECK(name.find("pa%40ss") == std::string::npos);
    CHECK(name.find("***") != std::string::npos);
    CHECK(name.find("host") != std::string::npos);
    CHECK(search::holds_password(url));
  }
  CHECK(search::printable_study("postgresql://host:5432/db") == "postgresql://host:5432/db?study=study");
  for (const std::string none :
       {"", "runs/a:b@c.sqlite", "postgresql://ana@host:5432/db?study=a&user=b", "postgresql:///db"})
    CHECK_FALSE(search::holds_password(none));
  const search::StudyUrl url = parse_study_url("postgresql://ana:pa%40ss@host/db");
  CHECK(url.without_password("FATAL: pa@ss and pa%40ss") == "FATAL: *** and ***");
  CHECK(parse_study_url("postgresql://host/db").without_password("as it is") == "as it is");
}
