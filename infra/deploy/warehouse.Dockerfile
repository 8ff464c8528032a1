# The command line with the analysts' requirements: the image of the job in infra/terraform/models.tf, which runs it in
# BigQuery. docs/operations.md says how to build it. Python is the one of cloudbuild.yaml, and a test compares the two.
FROM python:3.11.15-trixie@sha256:c7220863385ee39fb6d822da81f4469d0cd33ff893d92ce94105e5c3f4b95fe2
WORKDIR /upbeat
COPY Makefile README.md pyproject.toml requirements.txt ./
COPY .ci .ci
COPY infra infra
COPY shared shared
RUN make .venv/.local .venv/.analytics
ENV PATH=/upbeat/.venv/bin:$PATH
CMD ["upbeat", "--help"]
