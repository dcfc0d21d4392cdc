# syntax=docker/dockerfile:1
# The playgrounds in a container: all of them, or the one that SPACE names.
#   docker build -t genai-playgrounds .                                    for processors
#   docker build -t genai-playgrounds:cuda --build-arg ACCELERATOR=cuda .  for NVIDIA GPUs (docker run --gpus all …)
# torch's CUDA wheels bring their own libraries, so both start from the same small image; the driver comes from the host.
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ARG ACCELERATOR=cpu
ENV PLAYGROUND_TORCH=${ACCELERATOR} PLAYGROUND_SKIP_DISK_CHECK=1
WORKDIR /app
# What decides the environment, and nothing else: a change to the code doesn't install all anew.
COPY run.py requirements.txt requirements-dev.txt requirements-starter.txt requirements-cluster.txt requirements.lock ./
COPY tools tools
RUN --mount=type=cache,target=/root/.cache/pip python run.py setup
# DATABASE_URL is of use in containers first of all: several of them share a database.
COPY requirements-postgres.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    .venv/bin/python -m pip install -c requirements.lock -r requirements-postgres.txt
# What not everybody needs, for pip: the packages for traces or a cluster (docs/deploy.md).
ARG EXTRA=""
# hadolint ignore=SC2086,DL3042
RUN --mount=type=cache,target=/root/.cache/pip \
    if [ -n "$EXTRA" ]; then .venv/bin/python -m pip install -c requirements.lock $EXTRA; fi
COPY shared shared
COPY spaces spaces
RUN .venv/bin/python -m compileall -q shared spaces

FROM python:${PYTHON}
# llama.cpp is built with OpenMP. The version is Debian's own of this release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home playground \
    && install -d -o playground -g playground /weights /data
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY --from=build /app/shared shared
COPY --from=build /app/spaces spaces
COPY run.py requirements.txt requirements-dev.txt requirements-starter.txt requirements.lock LICENSE ./
COPY tools tools
COPY weights weights
# /weights: models from the Hub. /data: models converted here, jobs and their results, and what Gradio keeps of outputs.
ENV SPACE=hub \
    PLAYGROUND_HOST=0.0.0.0 \
    PLAYGROUND_PORT=7860 \
    PLAYGROUND_DATA=/data \
    GRADIO_TEMP_DIR=/data/outputs \
    HF_HOME=/weights \
    XDG_CACHE_HOME=/data/cache \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000
VOLUME ["/weights", "/data"]
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --start-interval=2s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
# run.py replaces itself by the server, which then gets the signals itself and lets go of what runs.
CMD ["sh", "-c", "exec python run.py \"$SPACE\" --no-browser"]
