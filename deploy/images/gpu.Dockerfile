# Sluice with SGLang and the Megatron worker, for rollout, trainer and the sluice command on GPU nodes. Build the jars first: ./mvnw package
#   docker build -f deploy/images/gpu.Dockerfile -t sluice-gpu .
#   docker build -f deploy/images/gpu.Dockerfile --build-arg TRANSFORMER_ENGINE=none ...   without TransformerEngine
# nvcc is needed by what compiles kernels at run time: FlashInfer, DeepGEMM, Triton.
ARG BASE=nvidia/cuda:13.0.1-cudnn-devel-ubuntu24.04
FROM eclipse-temurin:25-jdk AS java
FROM ${BASE}
ARG TRANSFORMER_ENGINE=2.20.2
RUN apt-get update && apt-get install -y --no-install-recommends python3.12-venv python3.12-dev build-essential ninja-build git \
      libnuma1 libibverbs1 && rm -rf /var/lib/apt/lists/*
COPY --from=java /opt/java/openjdk /opt/java/openjdk
ENV JAVA_HOME=/opt/java/openjdk PATH=/opt/java/openjdk/bin:/opt/sluice:$PATH

# Two Pythons: SGLang and Megatron-Core pin what they share differently.
RUN python3.12 -m venv /opt/sglang && /opt/sglang/bin/pip install --no-cache-dir sglang==0.5.15.post1 'fastapi<0.137'
COPY services/megatron-worker /tmp/megatron-worker
RUN python3.12 -m venv /opt/megatron && /opt/megatron/bin/pip install --no-cache-dir /tmp/megatron-worker && \
    if [ "$TRANSFORMER_ENGINE" != none ]; then \
      /opt/megatron/bin/pip install --no-cache-dir setuptools wheel pybind11 && \
      MAX_JOBS=8 /opt/megatron/bin/pip install --no-cache-dir --no-build-isolation "transformer-engine[core_cu13,pytorch]==$TRANSFORMER_ENGINE"; \
    fi && rm -rf /tmp/megatron-worker

WORKDIR /opt/sluice
COPY sluice ./
COPY .mvn/jdk.sh .mvn/
COPY deploy/ deploy/
COPY services/ services/
COPY common/broker/target/ common/broker/target/
ENV SLUICE_BUILD=skip SLUICE_DATA_ROOT=/data QUARKUS_HTTP_HOST=0.0.0.0 QUARKUS_HTTP_PORT=8080 \
    SLUICE_ROLLOUT_ENGINE_COMMAND=/opt/sglang/bin/python3,-m,sglang.launch_server SLUICE_ROLLOUT_ENGINE_LIFE=guarded \
    SLUICE_TRAINER_WORKER_GPU_COMMAND=/opt/megatron/bin/python3,-m,torch.distributed.run \
    SLUICE_ENGINE_PYTHON=/opt/sglang/bin/python3 SLUICE_WORKER_PYTHON=/opt/megatron/bin/python3
EXPOSE 8080
# A service: command ["java", "--enable-native-access=ALL-UNNAMED", "-jar", "/opt/sluice/services/trainer/target/quarkus-app/quarkus-run.jar"]
ENTRYPOINT []
CMD ["sluice", "--help"]
