# docker build -t heddle/heddle:dev .                     the operator, the webhook and the init container
# docker build -t heddle/shop:dev --target shop .         the sample shop
# docker build -t heddle/testbed:dev --target testbed .   the application of the end-to-end tests
# docker build -t heddle/capture:dev --target capture .   what prints the packets of a node for them
# docker build -t heddle/prometheus:dev --target prometheus .   the Prometheus that they ask
# docker build -t heddle/metrics-server:dev --target metrics-server .   what tells them what pods use
# docker build -t heddle/otel-collector:dev --target otel-collector .   what takes their traces
#
# hack/images makes the same images without a daemon and reads this file for it: what the last stages say of environment, user, command
# and copied files holds there too; the base image becomes its programs and the libraries they need.

FROM golang:1.26-bookworm AS go

FROM node:24.21.0-bookworm AS build
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /src
COPY . .
RUN npm run build && npm prune --omit=dev --no-save

FROM node:24.21.0-bookworm-slim AS shop
ENV NODE_ENV=production
WORKDIR /app
COPY config/samples/shop/app /app
USER 65532:65532
CMD ["node", "/app/main.ts"]

FROM node:24.21.0-bookworm-slim AS testbed
ENV NODE_ENV=production
# Each call of a test is a process of its own in the pod: all but the first find the program compiled.
ENV NODE_COMPILE_CACHE=/tmp/compile-cache
WORKDIR /app
COPY test/e2e/testbed /app
USER 65532:65532
CMD ["node", "/app/main.ts"]

FROM go AS capture-build
WORKDIR /src
COPY hack/images/capture /src
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /capture .

FROM scratch AS capture
COPY --from=capture-build /capture /capture
USER 65532:65532
ENTRYPOINT ["/capture"]

FROM go AS metrics-server-build
WORKDIR /src
COPY hack/cluster/kubernetes /src
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /metrics-server ./metrics-server

FROM scratch AS metrics-server
COPY --from=metrics-server-build /metrics-server /metrics-server
USER 65532:65532
ENTRYPOINT ["/metrics-server"]

FROM go AS otel-collector-build
WORKDIR /src
COPY hack/otel-collector /src
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /otel-collector .

FROM scratch AS otel-collector
COPY --from=otel-collector-build /otel-collector /otel-collector
USER 65532:65532
ENTRYPOINT ["/otel-collector"]

FROM debian:bookworm-slim AS prometheus
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*
USER 65532:65532
ENTRYPOINT ["/usr/bin/prometheus"]

FROM node:24.21.0-bookworm-slim AS heddle
RUN apt-get update && apt-get install -y --no-install-recommends nftables && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
# Else each of the threads in which V8 compiles and collects has the C library keep memory for itself.
ENV MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=build /src/node_modules /app/node_modules
COPY --from=build /src/package.json /app/package.json
COPY --from=build /src/dist /app/dist
USER 65532:65532
# What is short-lived has as much room as Node gives it in a pod of 1 GiB: with more memory it would take several times that, and keep it.
CMD ["node", "--max-semi-space-size=16", "/app/dist/operator/main.js"]
