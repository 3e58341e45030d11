condenser_test(${CMAKE_CURRENT_LIST_DIR}/weights_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/passes_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/spec_io_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/diagram_test.cpp)
