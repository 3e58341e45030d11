#pragma once
// Steps of an Int8Program as the parameter structs of the C kernels; used by the executor and printed by the C99
// target.

#include "condenser/runtime/int8_program.hpp"
#include "runtime/kernels/cnd_activation.h"
#include "runtime/kernels/cnd_add.h"
#include "runtime/kernels/cnd_avg_pool.h"
#include "runtime/kernels/cnd_blur_pool.h"
#include "runtime/kernels/cnd_channel_shuffle.h"
#include "runtime/kernels/cnd_concat.h"
#include "runtime/kernels/cnd_conv2d.h"
#include "runtime/kernels/cnd_depthwise.h"
#include "runtime/kernels/cnd_global_avg_pool.h"
#include "runtime/kernels/cnd_linear.h"
#include "runtime/kernels/cnd_max_pool.h"
#include "runtime/kernels/cnd_mul.h"
#include "runtime/kernels/cnd_pointwise.h"
#include "runtime/kernels/cnd_prelu.h"
#include "runtime/kernels/cnd_slice.h"
#include "runtime/kernels/cnd_softmax_mul.h"
#include "runtime/kernels/cnd_upsample.h"

namespace condenser::runtime {

cnd_conv2d_params conv2d_params(const ConvStep&);
cnd_depthwise_params depthwise_params(const ConvStep&);
cnd_pointwise_params pointwise_params(const ConvStep&);
cnd_linear_params linear_params(const LinearStep&);
cnd_avg_pool_params avg_pool_params(const AvgPoolStep&);
cnd_max_pool_params max_pool_params(const MaxPoolStep&);
cnd_add_params add_params(const AddStep&);
cnd_softmax_mul_params softmax_mul_params(const SoftmaxMulStep&);
cnd_mul_params mul_params(const MulStep&);
cnd_prelu_params prelu_params(const PReluStep&);
cnd_blur_pool_params blur_pool_params(const BlurPoolStep&);
cnd_upsample_params upsample_params(const UpsampleStep&);
cnd_concat_params concat_params(const ConcatStep&, const ConcatPart&);
cnd_slice_params slice_params(const SliceStep&);
cnd_channel_shuffle_params channel_shuffle_params(const ChannelShuffleStep&);

}  // namespace condenser::runtime
