// How long the path of a Unix socket can be.

/** `sun_path` of `struct sockaddr_un` has 108 bytes, one of them for the NUL. */
export const UNIX_PATH_MAX = 107;

/** Whether a socket can have the path. */
export function fitsSocket(path: string): boolean {
  return new TextEncoder().encode(path).length <= UNIX_PATH_MAX;
}
