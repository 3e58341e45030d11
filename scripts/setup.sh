#!/usr/bin/env bash
# Installs what condenser needs: Debian packages, then LibTorch (as the Python package torch) in .venv. Says what and why
# before it does so; a second call finds everything in place and returns at once.
#
#   scripts/setup.sh            what a build and a run need
#   scripts/setup.sh --dev      also what the tests and the format check use (clang, clang-format, tensorboard)
#   scripts/setup.sh --cluster  also what the tests of scripts/cluster use (Slurm, PostgreSQL, a validator of Kubernetes files)
#   scripts/setup.sh --no-torch without LibTorch: describe, export, verify and the search engine only
#
#   Torch_DIR              a LibTorch of your own (folder of TorchConfig.cmake): nothing is downloaded
#   CONDENSER_TORCH_INDEX  another Python package index for torch, e.g. the one with CPU-only builds
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TORCH_VERSION=2.13.0
TENSORBOARD_VERSION=2.21.0
ONNX_VERSION=1.23.2 ONNXRUNTIME_VERSION=1.32.0
LITERT_VERSION=2.3.0
KUBERNETES_VALIDATE_VERSION=1.37.0  # with the schemas of Kubernetes inside
want_dev=0 want_cluster=0 want_torch=1
for argument in "$@"; do
  case $argument in
    --dev) want_dev=1 ;;
    --cluster) want_cluster=1 ;;
    --no-torch) want_torch=0 ;;
    *) echo "setup.sh: unknown argument '$argument'; expected --dev, --cluster or --no-torch" >&2; exit 2 ;;
  esac
done

# package: why
packages=(
  "g++: C++20 compiler, and the C99 compiler that checks exports"
  "cmake: build files"
  "ninja-build: build driver"
  "ccache: fast rebuilds"
  "libyaml-cpp-dev: run files"
  "libspdlog-dev: log"
  "libcli11-dev: command line"
  "nlohmann-json3-dev: JSON"
  "libeigen3-dev: linear algebra"
  "libmuparserx-dev: expressions as objectives of a search"
  "libsoci-dev: study database (SOCI)"
  "libsqlite3-dev: study database (SQLite)"
  "libpq-dev: study database (PostgreSQL, for many machines)"
  "libboost-dev: headers that SOCI needs"
  "libssl-dev: SHA-256"
  "zlib1g-dev: compressed data sets"
  "libjpeg62-turbo-dev: JPEG images"
  "libpng-dev: PNG images"
  "libonnx-dev: networks in ONNX" "libprotobuf-dev: the form of their files"
  "libflatbuffers-dev: the form of files of TensorFlow Lite"
  "libgloo-dev: declarations of Gloo, which LibTorch holds without its headers (several processes train together)"
  "catch2: tests"
)
((want_dev)) && packages+=("clang: second compiler for exported C, and the one for browsers" "lld: links exports for browsers" "nodejs: runs them"
  "libclang-rt-14-dev: fuzzing" "clang-format: format check"
  "postgresql: server that the tests of studies start for themselves"
  "gcc-arm-linux-gnueabi: Arm's DSP forms of the exported kernels" "libc6-dev-armel-cross: its C library" "qemu-user: runs them"
  "gcc-arm-none-eabi: exports for Cortex-M" "libnewlib-arm-none-eabi: its C library" "qemu-system-arm: runs them"
  "gcc-riscv64-unknown-elf: exports for 32-bit RISC-V" "picolibc-riscv64-unknown-elf: its C library" "qemu-system-misc: runs them"
  "gcc-aarch64-linux-gnu: exports for 64-bit Arm" "libc6-dev-arm64-cross: its C library"
  "gcc-arm-linux-gnueabihf: exports for 32-bit Arm with NEON" "libc6-dev-armhf-cross: its C library"
  "gcc-riscv64-linux-gnu: exports for 64-bit RISC-V" "libc6-dev-riscv64-cross: its C library"
  "gcc-s390x-linux-gnu: exports where the most significant byte comes first" "libc6-dev-s390x-cross: its C library"
  "frama-c-base: proves that no input makes an export do what C leaves open")
((want_cluster)) && packages+=("slurmctld: scheduler" "slurmd: its nodes" "slurm-client: its commands" "munge: their authentication"
  "postgresql: studies for many machines" "python3-venv: environment for the validator of Kubernetes files")

python=$(command -v python3 || true)
if ((want_torch)) && [[ -z ${Torch_DIR:-} && ! -x .venv/bin/python ]]; then
  if [[ -z $python ]]; then
    packages+=("python3: brings LibTorch" "python3-venv: environment that holds LibTorch")
  elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    packages+=("python3-venv: environment that holds LibTorch")
  fi
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "setup.sh: this system has no apt. condenser needs (Debian 12 names):" >&2
  printf '  %s\n' "${packages[@]}" >&2
  ((want_torch)) && echo "and LibTorch $TORCH_VERSION: the Python package torch==$TORCH_VERSION in .venv, or your own through Torch_DIR." >&2
  echo "Install these, then build with: cmake --preset release && cmake --build --preset release" >&2
  exit 2
fi

installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
missing=()
for entry in "${packages[@]}"; do
  grep -qxF "${entry%%:*}" <<<"$installed" || missing+=("$entry")
done

if ((${#missing[@]})); then
  echo "setup.sh: installing ${#missing[@]} Debian packages:"
  printf '  %s\n' "${missing[@]}"
  as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || { echo "setup.sh: not root and no sudo; as root run: apt-get install --no-install-recommends ${missing[*]%%:*}" >&2; exit 2; }
    as_root=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]%%:*}" >/dev/null
fi

if ((want_cluster)) && ! compgen -G ".venv-cluster/lib/python3*/site-packages/kubernetes_validate-$KUBERNETES_VALIDATE_VERSION.dist-info" >/dev/null; then
  echo "setup.sh: installing kubernetes-validate $KUBERNETES_VALIDATE_VERSION into .venv-cluster: a test checks scripts/cluster/kubernetes_job.yaml"
  [[ -x .venv-cluster/bin/python ]] || "$(command -v python3)" -m venv .venv-cluster
  .venv-cluster/bin/python -m pip install -q --disable-pip-version-check "kubernetes-validate==$KUBERNETES_VALIDATE_VERSION"
fi
if ((!want_torch)); then
  echo "setup.sh: ready (without LibTorch)"
  exit 0
fi
if [[ -n ${Torch_DIR:-} ]]; then
  [[ -f $Torch_DIR/TorchConfig.cmake ]] || { echo "setup.sh: Torch_DIR = $Torch_DIR holds no TorchConfig.cmake; expected <libtorch>/share/cmake/Torch" >&2; exit 2; }
  echo "setup.sh: ready (LibTorch of your own: $Torch_DIR)"
  exit 0
fi

torch_version() { sed -n "s/^__version__ = '\([0-9.]*\).*/\1/p" .venv/lib/python3*/site-packages/torch/version.py 2>/dev/null || true; }
if [[ $(torch_version) != "$TORCH_VERSION" ]]; then
  echo "setup.sh: installing LibTorch $TORCH_VERSION (Python package torch) into .venv: networks are trained with it"
  python=$(command -v python3)
  [[ -x .venv/bin/python ]] || "$python" -m venv .venv
  index=()
  [[ -n ${CONDENSER_TORCH_INDEX:-} ]] && index=(--index-url "$CONDENSER_TORCH_INDEX")
  .venv/bin/python -m pip install -q --disable-pip-version-check "${index[@]}" "torch==$TORCH_VERSION"
fi
if ! grep -q '^cuda.*= None' .venv/lib/python3*/site-packages/torch/version.py && ! command -v nvcc >/dev/null && [[ ! -x /usr/local/cuda/bin/nvcc ]]; then
  echo "setup.sh: .venv holds a CUDA build of torch, which needs the CUDA toolkit (nvcc) to build against. Install the toolkit, or take the" >&2
  echo "CPU build: rm -r .venv && CONDENSER_TORCH_INDEX=<index of CPU builds, see PyTorch's installation page> scripts/setup.sh" >&2
  exit 2
fi
if ((want_dev)) && ! compgen -G ".venv/lib/python3*/site-packages/tensorboard-$TENSORBOARD_VERSION.dist-info" >/dev/null; then
  echo "setup.sh: installing tensorboard $TENSORBOARD_VERSION into .venv: a test reads our events with its reader"
  .venv/bin/python -m pip install -q --disable-pip-version-check "tensorboard==$TENSORBOARD_VERSION"
fi
if ((want_dev)) && ! compgen -G ".venv/lib/python3*/site-packages/onnxruntime-$ONNXRUNTIME_VERSION.dist-info" >/dev/null; then
  echo "setup.sh: installing onnx $ONNX_VERSION and onnxruntime $ONNXRUNTIME_VERSION into .venv: \`condenser verify\` and tests run ONNX exports with them"
  .venv/bin/python -m pip install -q --disable-pip-version-check "onnx==$ONNX_VERSION" "onnxruntime==$ONNXRUNTIME_VERSION"
fi
if ((want_dev)) && ! compgen -G ".venv/lib/python3*/site-packages/ai_edge_litert-$LITERT_VERSION.dist-info" >/dev/null; then
  echo "setup.sh: installing ai-edge-litert $LITERT_VERSION into .venv: \`condenser verify\` and tests run TensorFlow Lite models with it"
  .venv/bin/python -m pip install -q --disable-pip-version-check "ai-edge-litert==$LITERT_VERSION"
fi
echo "setup.sh: ready (LibTorch $TORCH_VERSION in .venv)"
