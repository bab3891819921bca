// The list of all that a release is made of, as CycloneDX 1.6 in JSON (ECMA-424).

import { createHash } from "node:crypto";
import { type Part, VERSION } from "./parts.ts";

/** A file of the release that parts are in. */
export interface Executable {
  readonly arch: string;
  readonly name: string;
  readonly sha256: string;
}

/** The text of the list; the same for the same input. */
export function sbom(
  executables: readonly Executable[],
  parts: readonly Part[],
  time: Date,
): string {
  const main = `swtpm@${VERSION}`;
  const refOf = (part: Part) => [part.purl, part.name, part.arch ?? "any"].join("#");
  const seen = new Map(parts.map((part) => [refOf(part), part]));
  const insideOf = (arch: string) =>
    [...seen].filter(([, part]) => part.arch === undefined || part.arch === arch)
      .map(([ref]) => ref);
  const list = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([executables, [...seen.keys()]]))}`,
    version: 1,
    metadata: {
      timestamp: time.toISOString(),
      lifecycles: [{ phase: "build" }],
      component: {
        type: "application",
        "bom-ref": main,
        name: "swtpm",
        version: VERSION,
        description: "A software TPM, 1.2 or 2.0, in TypeScript",
        licenses: licences("BSD-3-Clause"),
      },
    },
    components: [
      ...executables.map(({ arch, name, sha256 }) => ({
        type: "file",
        "bom-ref": name,
        name,
        version: VERSION,
        hashes: [{ alg: "SHA-256", content: sha256 }],
        properties: [{ name: "swtpm:arch", value: arch }],
      })),
      ...[...seen].map(([ref, { name, version, licence, purl, hash, kind, arch }]) => ({
        type: kind,
        "bom-ref": ref,
        name,
        version,
        ...(hash === undefined ? {} : { hashes: [{ alg: hash.algorithm, content: hash.digest }] }),
        licenses: licences(licence),
        purl,
        ...(arch === undefined ? {} : { properties: [{ name: "swtpm:arch", value: arch }] }),
      })),
    ],
    dependencies: [
      { ref: main, dependsOn: executables.map(({ name }) => name) },
      ...executables.map(({ name, arch }) => ({ ref: name, dependsOn: insideOf(arch) })),
    ],
  };
  return `${JSON.stringify(list, null, 2)}\n`;
}

/** One identifier, or an expression of several. */
function licences(spdx: string): readonly object[] {
  return /^(?!LicenseRef)[\w.+-]+$/.test(spdx)
    ? [{ license: { id: spdx } }]
    : [{ expression: spdx }];
}

/** A UUID of version 8, whose other bits are a hash's. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
