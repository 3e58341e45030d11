condenser_test(${CMAKE_CURRENT_LIST_DIR}/float_executor_test.cpp)
