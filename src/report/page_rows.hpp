#pragma once
// The rows of a page in a compact form, and the script that shows them.

#include <string>

#include "condenser/report/page.hpp"

namespace condenser::report {

// JSON that may stand inside a script element. A column is one text of cells, ";" between them: numbers, empty where
// there is none; choices as digits of base 36, as many for each field as its labels need; texts as the number of their
// pattern and the numbers that it leaves open. Numbers keep one digit more than the column shows, or seven that count.
std::string rows_json(const PageRows&);

// Reads what rows_json wrote. Ours, the same for every page; it needs nothing and sends nothing.
std::string row_script();

}  // namespace condenser::report
