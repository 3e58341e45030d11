# Every exemplar through LibTorch.
condenser_torch_test(${CMAKE_CURRENT_LIST_DIR}/op_contract_test.cpp)
