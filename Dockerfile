# asstops as an image, for pipelines that run their steps in one:
#
#   docker build --tag asstops .
#   docker run --rm --volume "$PWD:/work:ro" asstops validate
#
# It needs no git and writes nothing into the repository, so a read-only mount of another user's folder will do.
# `plan -o` wants a folder that it may write to.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY asstops asstops
# Of requirements.lock only what asstops itself needs is installed, in the versions that it pins.
RUN python -m venv /opt/asstops && \
    /opt/asstops/bin/python -m pip install --no-cache-dir --constraint requirements.lock setuptools && \
    /opt/asstops/bin/python -m pip install --no-cache-dir --constraint requirements.lock --no-build-isolation '.[azure-lock,emulator]' && \
    /opt/asstops/bin/python -m pip uninstall --yes setuptools pip

FROM python:${PYTHON}-slim
COPY --from=build /opt/asstops /opt/asstops
RUN useradd --uid 10001 --create-home asstops && mkdir /work && chown asstops /work
# The state folder, of a lock on this machine alone, is writable for whichever user `--user` names.
ENV PATH=/opt/asstops/bin:$PATH PYTHONDONTWRITEBYTECODE=1 XDG_STATE_HOME=/tmp/state
USER 10001
WORKDIR /work
ENTRYPOINT ["asstops"]
CMD ["--help"]
