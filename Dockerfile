# The commands of gaitjax on a CPU, or on an NVIDIA GPU with --build-arg EXTRAS=cuda,hub,prepare:
#   docker build -t gaitjax .
#   docker run --rm -v "$PWD:/work" gaitjax gaitjax.zoo list            (with a GPU: --gpus all)
# pip's jax[cuda12] brings CUDA's libraries with it; the host needs its driver and nvidia-container-toolkit.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ARG EXTRAS=hub,prepare

COPY setup.cfg pyproject.toml README.md LICENSE /src/
COPY gaitjax /src/gaitjax
COPY configs /src/configs
COPY converters /src/converters
RUN pip install --no-cache-dir "/src[${EXTRAS}]" && rm -rf /src

# Caches and compiled programs stay in the mounted folder; who runs it owns what it writes.
ENV HOME=/work XDG_CACHE_HOME=/work/.cache HF_HOME=/work/.cache/huggingface \
    JAX_COMPILATION_CACHE_DIR=/work/.cache/xla MPLBACKEND=Agg PYTHONUNBUFFERED=1
WORKDIR /work
ENTRYPOINT ["python", "-m"]
CMD ["gaitjax.train", "--help"]
