# The service in a container: CPU by default, CUDA by a build argument, no root, nothing written outside one volume.
#
#   docker build -t got-ocr .
#   docker build -t got-ocr:cuda --build-arg TORCH_INDEX=https://pypi.org/simple .
#
# The default index holds PyTorch without CUDA (200 MB instead of several GB).
ARG PYTHON=3.12

FROM python:${PYTHON}-slim-bookworm AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# The compiler makes the kernels for processors with AVX-512; the image that is built does not hold it.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/got-ocr
COPY constraints.txt ./
RUN /opt/got-ocr/bin/pip install --index-url "${TORCH_INDEX}" -c constraints.txt torch
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src ./src
RUN /opt/got-ocr/bin/pip install -c constraints.txt '.[serve,render]' \
    && /opt/got-ocr/bin/got-ocr --version

FROM python:${PYTHON}-slim-bookworm
RUN groupadd --system --gid 10001 got \
    && useradd --system --uid 10001 --gid got --home-dir /var/lib/got-ocr --shell /usr/sbin/nologin got \
    && install -d -o got -g got -m 0700 /var/lib/got-ocr
COPY --from=build /opt/got-ocr /opt/got-ocr
ENV PATH=/opt/got-ocr/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HOME=/var/lib/got-ocr/huggingface \
    GOT_OCR_HOST=0.0.0.0 \
    GOT_OCR_PORT=8000 \
    GOT_OCR_JOBS_DIR=/var/lib/got-ocr/jobs
USER 10001:10001
WORKDIR /var/lib/got-ocr
VOLUME /var/lib/got-ocr
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["got-ocr"]
CMD ["serve"]
