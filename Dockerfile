# docker build -t medaudit . && docker run --rm --network none -v "$PWD/dataset:/data:ro" -v "$PWD/out:/out" medaudit scan /data
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
# the wheels of PyTorch for processors alone are gigabytes smaller
RUN python -m venv /opt/medaudit \
 && /opt/medaudit/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    --extra-index-url https://download.pytorch.org/whl/cpu -c constraints.txt .

FROM python:3.11-slim
COPY --from=build /opt/medaudit /opt/medaudit
# whoever runs it as another user (-u "$(id -u)") needs no home of theirs
RUN useradd --uid 10001 --no-create-home medaudit && mkdir /out && chown 10001 /out
ENV PATH=/opt/medaudit/bin:$PATH \
    MEDAUDIT_CACHE=/tmp/medaudit-cache \
    XDG_STATE_HOME=/tmp/medaudit-state
USER 10001
WORKDIR /out
ENTRYPOINT ["medaudit"]
CMD ["--help"]
