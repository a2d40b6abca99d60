# The same commands as on a machine: make repro, make test, notedecay generate, ...
ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE}

ENV DEBIAN_FRONTEND=noninteractive PYTHONUNBUFFERED=1
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git make \
    && (command -v python3 || apt-get install --yes --no-install-recommends python3 python3-venv) \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /notedecay
# Dependencies first: a change of the code alone does not install them again.
COPY Makefile pyproject.toml requirements.lock README.md ./
COPY src src
RUN make .venv/installed
COPY . .

ENV PATH=/notedecay/.venv/bin:$PATH
# data, results and mlruns are made by "make repro"; mount volumes there to keep them.
CMD ["make", "repro"]
