# The float reference; included by the CMakeLists.txt beside it.
target_sources(condenser_core PRIVATE ${CMAKE_CURRENT_LIST_DIR}/float_executor.cpp)
