# Int8 contract; included by the CMakeLists.txt beside it.
condenser_test(${CMAKE_SOURCE_DIR}/tests/contract/int8_contract_test.cpp)
