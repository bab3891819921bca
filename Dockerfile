# The executable and nothing else: all that it needs is inside.
#
#   npx --yes deno@2.7.11 task release && docker buildx build --platform linux/amd64,linux/arm64 .
#   npx --yes deno@2.7.11 task build && docker build -t swtpm --build-arg EXECUTABLE=dist/swtpm .
#   docker run --rm -p 127.0.0.1:2321-2322:2321-2322 swtpm
#
# In other images: COPY --from=swtpm /swtpm /usr/local/bin/
FROM scratch

ARG TARGETARCH
ARG EXECUTABLE=dist/image/${TARGETARCH}/swtpm
COPY --chmod=0755 ${EXECUTABLE} /swtpm

# Runs as well with --read-only, and with any other user.
USER 65534:65534

# COMMANDs of `swtpm run` are reaped, signals reach them: no other init is needed.
ENTRYPOINT ["/swtpm"]
EXPOSE 2321 2322
CMD ["socket", "--tpm2", "--tpmstate", "backend-uri=memory://", "--flags", "startup-clear", \
  "--server", "type=tcp,port=2321,bindaddr=0.0.0.0", "--ctrl", "type=tcp,port=2322,bindaddr=0.0.0.0"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["/swtpm", "ping", "--tcp", ":2322"]
