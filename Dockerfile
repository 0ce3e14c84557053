# syntax=docker/dockerfile:1
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/gatehouse ./cmd/gatehouse
# An empty folder that belongs to the user below: the image has no shell to make one.
RUN mkdir -p /out/etc/gatehouse /out/run/gatehouse

FROM scratch
COPY --from=build /out/gatehouse /gatehouse
COPY --from=build --chown=65532:65532 /out/etc/gatehouse /etc/gatehouse
COPY --from=build --chown=65532:65532 /out/run/gatehouse /run/gatehouse
USER 65532:65532
EXPOSE 8080
# No shell, no curl: the program asks its own admin listener, which is at 127.0.0.1:9901 unless the file says otherwise. Where it
# does, say so here too: status --ready --admin ADDRESS.
HEALTHCHECK --interval=5s --timeout=2s --start-period=3s CMD ["/gatehouse", "status", "--ready"]
ENTRYPOINT ["/gatehouse"]
CMD ["run", "-c", "/etc/gatehouse/gatehouse.yaml"]
