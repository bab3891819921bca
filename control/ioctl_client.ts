// Gives control commands to a device of the cuse interface, as ioctls by the table that the server
// has. The counterpart of ioctl_server.ts.
import { TpmResult } from "../wire/codes.ts";
import { type Answer, type ControlClient, dataLength, isAnswered } from "./client.ts";
import { BLOB_CHUNK, ioctlResult, ioctls } from "./ioctl.ts";
import type { CommandName, Request, Response } from "./protocol.ts";

/** An open device. Its calls throw SystemError. */
export interface Device {
  ioctl(request: number, argument: Uint8Array<ArrayBuffer>): void;
  read(into: Uint8Array<ArrayBuffer>): number;
  write(bytes: Uint8Array<ArrayBuffer>): void;
}

export class IoctlControlClient implements ControlClient {
  readonly pieces;

  constructor(private readonly device: Device) {
    this.pieces = {
      size: BLOB_CHUNK,
      read: (into: Uint8Array<ArrayBuffer>) => device.read(into),
      write: (bytes: Uint8Array<ArrayBuffer>) => device.write(bytes),
    };
  }

  ask<N extends CommandName>(
    name: N,
    request: Request<N>,
    data: Uint8Array<ArrayBuffer> = new Uint8Array(0),
  ): Answer<N> {
    const { request: number, size, input, output } = ioctls[name];
    const argument = new Uint8Array(size);
    argument.set(input.encode(request, data));
    this.device.ioctl(number, argument);
    // The one that has no result before its response.
    const result = name === "GET_CAPABILITY"
      ? TpmResult.SUCCESS
      : ioctlResult.decode(argument).result as number;
    if (!isAnswered(name, result)) return { failure: result };
    const response = output.decode(argument) as Response<N>;
    const length = dataLength(name, response);
    return { response, data: argument.slice(output.size, output.size + length) };
  }
}
