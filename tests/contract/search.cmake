# Suites that loop over the tables of search/: a new space, generator or store is tested the moment it has a row.
condenser_test(
  ${CMAKE_CURRENT_LIST_DIR}/space_contract_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/generator_contract_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/store_contract_test.cpp
)
