# The executable and nothing else: libtpms is inside. Build it first (deno task build), on a Debian
# that is not newer than the one below, as the libraries inside are the building machine's.
#
#   docker build -t swtpm .
#   docker run --rm swtpm run -- sh -c 'echo $TPM2TOOLS_TCTI'
#   docker run --rm -p 127.0.0.1:2321-2322:2321-2322 swtpm
#
# In other images: COPY --from=swtpm /usr/local/bin/swtpm /usr/local/bin/
FROM debian:12-slim

COPY dist/swtpm /usr/local/bin/swtpm

# Runs as well with --read-only, and with any other user.
USER 65534:65534

# COMMANDs of `swtpm run` are reaped, signals reach them: no other init is needed.
ENTRYPOINT ["/usr/local/bin/swtpm"]
EXPOSE 2321 2322
CMD ["socket", "--tpm2", "--tpmstate", "backend-uri=memory://", "--flags", "startup-clear", \
  "--server", "type=tcp,port=2321,bindaddr=0.0.0.0", "--ctrl", "type=tcp,port=2322,bindaddr=0.0.0.0"]
