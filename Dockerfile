# The same commands as on a machine: make repro, make test, make ui, notedecay generate, ...
ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE}

ENV DEBIAN_FRONTEND=noninteractive PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git make \
    && (command -v python3 || apt-get install --yes --no-install-recommends python3 python3-venv) \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /notedecay
# Dependencies first: a change of the code alone does not install them again.
COPY requirements.lock ./
RUN python3 -m venv .venv && .venv/bin/pip install --quiet --requirement requirements.lock
COPY . .
RUN make .venv/installed

# MLflow listens outside the container too: run with --publish 127.0.0.1:5000:5000 for "make ui".
ENV PATH=/notedecay/.venv/bin:$PATH MLFLOW_HOST=0.0.0.0
# "make repro" makes data, results, mlruns and .dvc/cache: mount volumes there to keep them.
CMD ["make", "repro"]
