// `--trace`: the recorder of a process, with what it needs of the system: where it writes, who the
// clients are, when there is time.
import type { ControlTap } from "../../control/connection.ts";
import { readTraffic } from "../../control/traffic.ts";
import { O } from "../../ffi/files.ts";
import type { Libtpms } from "../../ffi/libtpms.ts";
import type { Poller } from "../../ffi/poll.ts";
import { traceObject } from "../../trace/json.ts";
import type { Client, TraceEvent } from "../../trace/exchange.ts";
import { Recorder } from "../../trace/recorder.ts";
import { COLOURS, PLAIN, textLine } from "../../trace/text.ts";
import type { Channel } from "../../transports/channel.ts";
import type { DaemonConfig, TraceConfig } from "../config.ts";
import { errorIsTerminal, STDERR } from "../output/output.ts";
import type { Spin } from "../loop/spin.ts";
import type { System } from "../system.ts";
import { IdlePoller, IdleSpin } from "./idle.ts";
import { TraceFile } from "./trace_file.ts";

/** As much of a control message is of interest: what follows is data. */
const CONTROL_HEAD = 64;
/** The kernel keeps 15 bytes of a name. */
const NAME_MAX = 64;

export class Trace {
  readonly recorder: Recorder;
  /** Looks on at control commands. */
  readonly controlTap: ControlTap;
  readonly #file: TraceFile;

  private constructor(
    private readonly system: System,
    recorder: Recorder,
    file: TraceFile,
  ) {
    this.recorder = recorder;
    this.#file = file;
    this.controlTap = controlTap(recorder);
  }

  /** Opens the file. Throws SystemError. */
  static open(
    system: System,
    config: DaemonConfig,
    trace: TraceConfig,
    libtpms: Pick<Libtpms, "locality">,
    report: (message: string) => void,
  ): Trace {
    const sink = TraceFile.openSink(system.files, trace);
    const format = formatOf(trace);
    const lostLine = (count: number) =>
      format({ kind: "remark", timeMs: recorder.timeMs, text: lostText(count) });
    const file = new TraceFile(sink, lostLine, report);
    const recorder: Recorder = new Recorder({
      format,
      write: (lines, count) => file.write(lines, count),
      locality: () => libtpms.locality,
      prefixed: config.tpm2 && config.cuse === undefined,
    });
    recorder.remark(`a TPM ${config.tpm2 ? "2.0" : "1.2"}`, new Date());
    return new Trace(system, recorder, file);
  }

  /** A client that is there from now on; its messages stand in `memory`. */
  connected(memory: ArrayBufferLike, channel: Pick<Channel, "fd">): void {
    this.recorder.connect(memory, clientOf(this.system, channel.fd));
  }

  /** What a loop waits by, so that the trace is written meanwhile. */
  poller(capacity: number): Poller {
    return new IdlePoller(this.system.libc, capacity, this.recorder);
  }

  spin(processors: number): Spin {
    return new IdleSpin(processors, this.recorder);
  }

  /** The last commands that the TPM refused, a line each; secrets are never among them. */
  refused(): string[] {
    return this.recorder.refused.map((exchange) =>
      textLine(exchange, { secrets: false, palette: PLAIN })
    );
  }

  close(): void {
    this.recorder.close();
    this.#file.close();
  }
}

function formatOf({ format, secrets, fd }: TraceConfig): (event: TraceEvent) => string {
  switch (format) {
    case "json":
      return (event) => `${JSON.stringify(traceObject(event, { secrets }))}\n`;
    case "text": {
      const palette = fd === STDERR && errorIsTerminal() ? COLOURS : PLAIN;
      return (event) => `${textLine(event, { secrets, palette })}\n`;
    }
  }
}

function lostText(count: number): string {
  return count === 1 ? "1 line was lost here" : `${count} lines were lost here`;
}

function controlTap(recorder: Recorder): ControlTap {
  let begun: { timeMs: number; request: Uint8Array } | undefined;
  return {
    request(bytes) {
      begun = { timeMs: recorder.timeMs, request: bytes.slice(0, CONTROL_HEAD) };
    },
    response(bytes) {
      if (begun === undefined) return;
      recorder.control(readTraffic(begun.request, bytes), begun.timeMs);
      begun = undefined;
    },
  };
}

/** Who is behind a connection, where the kernel knows: not over TCP, nor on another machine. */
function clientOf({ files, sockets }: System, fd: number): Omit<Client, "number"> {
  const pid = sockets.peerProcess(fd);
  if (pid === undefined) return {};
  try {
    const comm = files.open(`/proc/${pid}/comm`, O.RDONLY);
    try {
      const name = new TextDecoder().decode(files.readAll(comm, NAME_MAX)).replace(/\n$/, "");
      return { process: name, pid };
    } finally {
      files.close(comm);
    }
  } catch {
    return { pid }; // it has gone already, or there is no /proc in this root
  }
}
