# The pipelines of infra/beam with all that they import: the image of Dataflow's workers. docs/operations.md says how to
# build it. Its Beam is the pinned one, and its Python has the version by which pipelines are launched: tests compare both.
FROM apache/beam_python3.11_sdk:2.77.0
WORKDIR /upbeat
COPY .ci/requirements-beam.txt .ci/requirements-beam.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r .ci/requirements-beam.txt
COPY infra infra
COPY shared shared
ENV PYTHONPATH=/upbeat
